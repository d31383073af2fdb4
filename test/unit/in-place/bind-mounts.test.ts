import { describe, expect, test } from 'vitest'
import { planBinds } from '../../../src/core/in-place/bind-mounts.ts'
import { escapedPath, inPlaceUnits } from '../../../src/core/in-place/units.ts'

const { binds, left } = planBinds([
  '/bin',
  '/data',
  '/etc',
  '/home',
  '/var',
  '/var/cache',
  '/var/lib',
  '/var/lib/connman',
  '/var/lib/longhorn',
  '/var/lib/rancher',
  '/var/log',
  '/var/log/pods',
  '/var/log/journal',
])
const targets = binds.map(({ to }) => to)

describe('what k3OS keeps', () => {
  test('is bound at its old place, also what no list knows', () => {
    expect(targets).toEqual(
      expect.arrayContaining(['/data', '/home', '/var/lib/longhorn', '/var/lib/rancher', '/var/log/pods']),
    )
  })

  test('is bound as /usr/local too where k3OS has a link', () => {
    expect(binds).toContainEqual({ from: '/var/local', to: '/usr/local' })
  })

  test('never covers what the new system needs, and says so', () => {
    for (const path of ['/', '/etc', '/usr', '/var', '/var/lib', '/var/log', '/var/cache', '/run', '/tmp'])
      expect(targets).not.toContain(path)
    expect(left.map(({ path }) => path)).toEqual([
      '/bin',
      '/etc',
      '/var/cache',
      '/var/lib/connman',
      '/var/log/journal',
    ])
  })
})

describe('the units', () => {
  const { files, links } = inPlaceUnits({
    binds,
    disks: [],
    network: [],
    stagedAt: 1_700_000_000,
    k3sService: 'k3s-agent.service',
  })

  test.each([
    ['/var/lib/rancher', 'var-lib-rancher'],
    ['/data/my-app', String.raw`data-my\x2dapp`],
    ['/a b/.x', String.raw`a\x20b-.x`],
    ['/.x', String.raw`\x2ex`],
  ])('of %s are named as systemd names them', (path, name) => {
    expect(escapedPath(path)).toBe(name)
  })

  test('make k3s wait for a gate that requires every mount', () => {
    const gate = files.find(({ path }) => path.endsWith('/k3os-migrate-gate.service'))
    const required = /^Requires=(.*)$/m.exec(gate?.content ?? '')?.[1]?.split(' ')
    expect(required).toEqual(targets.map((path) => `${escapedPath(path)}.mount`))
    expect(files.find(({ path }) => path.includes('k3s-agent.service.d'))?.content).toContain(
      'Requires=k3os-migrate-gate.service\nAfter=k3os-migrate-gate.service',
    )
  })

  test('take a new kernel for good at the end of a boot, with the data in its place and k3s at work', () => {
    const kernel = files.find(({ path }) => path.endsWith('/k3os-migrate-kernel.service'))?.content
    expect(kernel).toContain('Requires=k3os-migrate-gate.service\n')
    expect(kernel).toContain('After=multi-user.target k3os-migrate-gate.service\n')
    expect(kernel).toContain('kernel keep k3s-agent.service\n')
  })

  test('are enabled by links to files that exist', () => {
    const names = new Set(files.map(({ path }) => path))
    for (const { target } of links) expect(names).toContain(`/etc/systemd/system/${target.slice(3)}`)
  })
})
