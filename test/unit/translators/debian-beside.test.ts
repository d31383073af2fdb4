import { describe, expect, it } from 'vitest'
import { templateTools } from '../../../src/adapters/templates.ts'
import type { K3osConfig } from '../../../src/core/k3os/config.ts'
import { translateNode } from '../../../src/core/translate-node.ts'
import { besideTranslator } from '../../../translators/debian/beside.ts'
import { factsWith } from '../../support/golden-node.ts'
import { bundleOf, canaries, k3osNode } from '../../support/k3os-node.ts'
import { tarEntries, type TarEntry } from '../../support/tar-listing.ts'
import { everyKey, nodeFrom } from '../../support/translation.ts'

type Node = Parameters<typeof nodeFrom>[1]
type WriteFile = NonNullable<K3osConfig['writeFiles']>[number]

const translated = (config: K3osConfig, node?: Node) =>
  translateNode(nodeFrom(config, node), besideTranslator, templateTools())

function entries(config: K3osConfig, node?: Node): Map<string, TarEntry> {
  const [archive] = translated(config, node).files
  if (typeof archive?.content !== 'object') throw new Error('there is no archive')
  return new Map(tarEntries(archive.content).map((entry) => [entry.path, entry]))
}

const file = (path: string, more: Partial<WriteFile> = {}): WriteFile => ({
  path,
  content: 'x\n',
  encoding: '',
  owner: '',
  permissions: '',
  ...more,
})
const withFiles = (...writeFiles: WriteFile[]): K3osConfig => ({ hostname: 'n1', writeFiles, k3os: {} })
const text = (all: Map<string, TarEntry>, path: string): string | undefined =>
  all.get(path)?.content.toString()

describe('the archive', () => {
  it('is the one file, for root alone, and says so', () => {
    const { files, delivery } = translated(everyKey)
    expect(files.map(({ path, mode }) => [path, mode])).toEqual([['root.tar', 0o600]])
    expect(delivery).toEqual({ kind: 'tree', file: 'root.tar' })
  })

  it('has no path twice, none that leaves the tree, and all in order', () => {
    const paths = [...entries(everyKey).keys()]
    expect(paths).toEqual([...new Set(paths)].toSorted())
    expect(paths.filter((path) => path.startsWith('/') || path.split('/').includes('..'))).toEqual([])
  })

  it('names no folder, which would change one of the tree', () => {
    expect([...entries(everyKey).values()].filter(({ kind }) => kind === 'folder')).toEqual([])
  })

  it('has owners as numbers', () => {
    const all = entries(
      withFiles(file('/etc/mine', { owner: 'rancher' }), file('/etc/app', { owner: 'app:www' })),
    )
    expect(all.get('etc/mine')?.owner).toBe('1000:0')
    expect(all.get('etc/app')?.owner).toBe('0:0')
    // Who that is only the new system knows.
    expect(text(all, 'etc/tmpfiles.d/k3os-owners.conf')).toBe('z "/etc/app" - app www -\n')
  })

  it('has secrets in files of mode 0600 only', () => {
    const config = {
      ...everyKey,
      writeFiles: [
        file('/etc/rancher/k3s/registries.yaml', {
          content: `# ${canaries.registry}\n`,
          permissions: '0600',
        }),
      ],
      k3os: {
        ...everyKey.k3os,
        token: canaries.token,
        password: canaries.password,
        wifi: [{ name: 'shop', passphrase: canaries.passphrase }],
        environment: { K3S_DATASTORE_ENDPOINT: canaries.endpoint },
      },
    }
    const all = entries(config, { bundle: bundleOf(k3osNode()), facts: factsWith({ os: osOf('v0.7.0') }) })
    const holding = [...all.values()].filter(({ content }) => content.includes('CANARY'))
    expect(holding.map(({ path }) => path)).toEqual([
      'etc/environment',
      'etc/k3os-migrate/password',
      'etc/rancher/k3s/registries.yaml',
      'etc/rancher/k3s/token',
      'etc/rancher/node/password',
      'etc/ssh/ssh_host_ed25519_key',
      'etc/systemd/system/k3s.service.env',
      'etc/wpa_supplicant/wpa_supplicant-wlan0.conf',
    ])
    expect(holding.filter(({ mode }) => mode !== '0600')).toEqual([])
  })
})

const osOf = (version: string) => ({ id: 'k3os', version, prettyName: '' })

describe('the node password', () => {
  const bundle = bundleOf(k3osNode())

  it('lies in the data of k3OS, where k3s finds it by a link', () => {
    const all = entries(everyKey, { bundle, facts: factsWith({ os: osOf('v0.7.1') }) })
    expect(all.get('etc/rancher/node')?.link).toBe('/var/lib/rancher/k3os/node')
    expect([...all.keys()].filter((path) => path.startsWith('etc/rancher/node/'))).toEqual([])
  })

  it.each(['v0.7.0', 'v0.6.1', '0.2.0'])('is a file where %s had it in memory', (version) => {
    const all = entries(everyKey, { bundle, facts: factsWith({ os: osOf(version) }) })
    expect(all.has('etc/rancher/node')).toBe(false)
    expect(text(all, 'etc/rancher/node/password')).toBe(`${canaries.nodePassword}\n`)
  })

  it.each([
    ['v0.7.0', 1],
    ['v0.7.1', 0],
  ])('is missed on %s only where nobody will find it (%i)', (version, missed) => {
    const { findings } = translated(everyKey, { facts: factsWith({ os: osOf(version) }) })
    expect(findings.filter(({ rule }) => rule === 'TRN-NODE-PASSWORD-UNKNOWN')).toHaveLength(missed)
  })
})

describe('a file of the configuration', () => {
  it.each([
    '/var/lib/rancher/k3s/agent/images/x.tar',
    '/usr/local/bin/x',
    '/opt/x/y',
    '/home/rancher/.bashrc',
    '/data/x',
    '/etc/rancher/node/id',
    '/usr/libexec/kubernetes/x',
  ])('is left alone where k3OS has it at the same place: %s', (path) => {
    const config = withFiles(file(path))
    expect(entries(config).has(path.slice(1))).toBe(false)
    expect(translated(config).findings).toContainEqual(
      expect.objectContaining({
        rule: 'TRN-FILE-IN-PLACE',
        location: expect.objectContaining({ path: 'writeFiles[0]' }) as unknown,
      }),
    )
  })

  it.each(['/etc/x', '/var/x', '/var/lib/systemd/x'])(
    'is written where the new system has its own: %s',
    (path) => {
      expect(text(entries(withFiles(file(path))), path.slice(1))).toBe('x\n')
    },
  )

  it('is only counted as written once where it is written', () => {
    const { findings } = translated(withFiles(file('/etc/x'), file('/opt/x')))
    expect(findings.filter(({ rule }) => rule === 'TRN-FILE-ONCE').map(({ summary }) => summary)).toEqual([
      'one file of write_files is written once',
    ])
  })

  it('is kept when it is /etc/hosts', () => {
    expect(text(entries(withFiles(file('/etc/hosts'))), 'etc/hosts')).toBe('x\n')
  })

  it('is reported where a link of ours must be', () => {
    const config = withFiles(file('/etc/resolv.conf'))
    expect(entries(config).get('etc/resolv.conf')?.kind).toBe('link')
    expect(translated(config).findings.map(({ rule }) => rule)).toContain('TRN-FILE-COLLIDES')
  })
})

describe('the user', () => {
  it('gets a hash as the credential that systemd-sysusers looks for, without a line end', () => {
    const all = entries(everyKey)
    expect(text(all, 'etc/credstore/passwd.hashed-password.rancher')).toBe(everyKey.k3os.password)
    expect(all.get('etc/credstore/passwd.hashed-password.rancher')?.mode).toBe('0600')
  })

  it('gets a clear password by a unit that removes it', () => {
    const all = entries({ hostname: 'n1', k3os: { password: 'clear' } })
    expect(text(all, 'etc/k3os-migrate/password')).toBe('rancher:clear\n')
    expect(all.get('etc/systemd/system/multi-user.target.wants/k3os-migrate-password.service')?.link).toBe(
      '../k3os-migrate-password.service',
    )
    expect(text(all, 'etc/systemd/system/systemd-sysusers.service.d/k3os.conf')).not.toContain('Credential')
  })

  it('can be locked out by removing a key that only lies in its home', () => {
    const all = entries({ hostname: 'n1', k3os: {} }, { bundle: bundleOf(k3osNode()) })
    expect([...all.values()].filter(({ content }) => content.includes('me@laptop'))).toEqual([])
  })
})

it.each([
  ['server', { hostname: 'n1', k3os: {} }, 'k3s.service'],
  [
    'agent',
    { hostname: 'n1', k3os: { serverUrl: 'https://10.0.0.1:6443', token: 't' } },
    'k3s-agent.service',
  ],
] as const)('a %s runs k3s of the tree, behind the gate', (role, config, unit) => {
  const all = entries(config)
  expect(text(all, `etc/systemd/system/${unit}`)).toContain(`\nExecStart=/usr/bin/k3s ${role}\n`)
  expect(text(all, `etc/systemd/system/${unit}`)).toContain(
    '\nConditionPathExists=/etc/k3os-migrate/release\n',
  )
  expect(all.get(`etc/systemd/system/multi-user.target.wants/${unit}`)?.link).toBe(`../${unit}`)
  expect(all.get('etc/systemd/system/paths.target.wants/k3os-migrate-release.path')?.kind).toBe('link')
})

it('says that wifi does not work, and carries it for a tree of one’s own', () => {
  const { findings } = translated(everyKey)
  expect(findings.filter(({ rule }) => rule.startsWith('TRN-') && rule.includes('WIFI'))).toContainEqual(
    expect.objectContaining({ rule: 'TRN-IMAGE-NO-WIFI', severity: 'inhibitor' }),
  )
  const all = entries(everyKey)
  expect(text(all, 'etc/systemd/network/20-k3os-wifi.network')).toContain('Name=wlan0')
  expect(all.has('etc/systemd/system/multi-user.target.wants/wpa_supplicant@wlan0.service')).toBe(true)
})

it('says which root tree a k3s needs that only knows cgroup v1', () => {
  const old = {
    k3s: { version: 'v1.18.9+k3s1', role: 'server', datastore: 'sqlite', hasNodePassword: true },
  } as const
  const rules = (facts?: Parameters<typeof factsWith>[0]) =>
    translated(everyKey, facts === undefined ? {} : { facts: factsWith(facts) })
      .findings.map(({ rule }) => rule)
      .filter((rule) => rule.startsWith('TRN-CGROUP'))
  expect(rules(old)).toEqual(['TRN-CGROUP-V1-TREE'])
  expect(rules()).toEqual(['TRN-CGROUP-V2'])
})
