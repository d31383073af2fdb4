import { describe, expect, it } from 'vitest'
import { sharedDir } from '../../../support/shared.ts'
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { findFlag, flagRefusal, type K3sRole } from '../../../../src/core/k3s/flags.ts'
import { versionAtLeast } from '../../../../src/core/k3s/version.ts'

describe('versionAtLeast', () => {
  it.each([
    ['v1.20.4+k3s1', '1.20.4', true],
    ['v1.20.3+k3s1', '1.20.4', false],
    ['v1.17.0+k3s.1', '1.17.0', true],
    ['v1.9.10+k3s1', '1.10.0', false],
    ['v1.19.1-rc1+k3s1', '1.19.1', true],
    ['v2.0.0', '1.37.1', true],
    ['current', '1.19.1', null],
    ['v1.19', '1.19.1', null],
  ])('%s against %s', (version, minimum, expected) => {
    expect(versionAtLeast(version, minimum)).toBe(expected)
  })
})

describe('flagRefusal', () => {
  const refusal = (name: string, role: K3sRole, version: string | null): string | null => {
    const flag = findFlag(name)
    if (flag === undefined) throw new Error(`no flag ${name}`)
    return flagRefusal(flag, role, version)
  }

  it.each([
    ['disable', 'server', 'v1.17.2+k3s1', 'new in k3s v1.17.4'],
    ['disable', 'server', 'v1.22.2+k3s2', null],
    ['disable', 'agent', 'v1.22.2+k3s2', 'a flag of servers only'],
    ['no-deploy', 'server', 'v1.22.2+k3s2', null],
    ['no-deploy', 'server', 'v1.26.0+k3s1', 'removed in k3s v1.26.0'],
    ['bind-address', 'agent', 'v1.22.2+k3s2', 'new in k3s v1.31.0'],
    ['selinux', 'agent', null, null],
  ] as const)('%s on a %s of %s', (name, role, version, expected) => {
    expect(refusal(name, role, version)).toBe(expected)
  })
})

const data = sharedDir('data')

describe.skipIf(data === undefined)('the table against the reference collection', () => {
  it('knows every flag with its type and roles', () => {
    const document = parse(readFileSync(`${data}/k3s-flags.yaml`, 'utf8')) as {
      flags: { name: string; type: string; roles: K3sRole[]; aliases: string[] }[]
      removed_flags: { name: string; type: string; roles: K3sRole[]; aliases: string[] }[]
    }
    for (const flag of [...document.flags, ...document.removed_flags]) {
      const type = flag.type === 'bool' || flag.type === 'slice' ? flag.type : 'string'
      const known = { name: flag.name, type, roles: flag.roles, alias: flag.aliases[0] ?? null }
      expect(findFlag(flag.name)).toMatchObject(known)
    }
  })
})
