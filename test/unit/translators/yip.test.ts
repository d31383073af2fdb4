import { describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { templateTools } from '../../../src/adapters/templates.ts'
import type { K3osConfig, K3osFile } from '../../../src/core/k3os/config.ts'
import { translateNode } from '../../../src/core/translate-node.ts'
import { translators } from '../../../translators/index.ts'
import { factsWith } from '../../support/golden-node.ts'
import { everyKey, nodeFrom } from '../../support/translation.ts'

interface Step {
  readonly name: string
  readonly directories?: { path: string; permissions: number }[]
  readonly files?: {
    path: string
    permissions: number
    content: string
    encoding?: string
    ownerstring?: string
  }[]
  readonly users?: Record<string, object>
  readonly commands?: string[]
}

const tools = templateTools()

async function outputs(target: string, config: K3osConfig, more: Parameters<typeof nodeFrom>[1] = {}) {
  const load = translators[target]
  if (load === undefined) throw new Error(`no ${target}`)
  const { files, findings, trace } = translateNode(nodeFrom(config, more), await load(), tools)
  const text = (path: string) => String(files.find((file) => file.path === path)?.content)
  return { text, findings, trace, rules: findings.map(({ rule }) => rule) }
}

async function steps(config: K3osConfig): Promise<Step[]> {
  const { text } = await outputs('elemental', config)
  return (parse(text('oem/99_k3os_migrate.yaml')) as { stages: { initramfs: Step[] } }).stages.initramfs
}

const file = (path: string, content: string, more: Partial<K3osFile> = {}): K3osFile => ({
  path,
  content,
  encoding: '',
  owner: '',
  permissions: '',
  ...more,
})
const withFiles = (...writeFiles: K3osFile[]): K3osConfig => ({
  hostname: 'n1',
  writeFiles,
  k3os: { k3sArgs: ['agent'], serverUrl: 'https://10.0.0.1:6443', token: 'secret-4711' },
})
const filesOf = (all: readonly Step[]) => all.flatMap((step) => step.files ?? [])

describe('a file for yip', () => {
  it('has its mode as a number, whatever the mode', async () => {
    const all = filesOf(await steps(withFiles(file('/etc/motd', 'x\n', { permissions: '0755' }))))
    expect(all.find(({ path }) => path === '/etc/motd')?.permissions).toBe(0o755)
    expect(all.every(({ permissions }) => Number.isInteger(permissions) && permissions > 0)).toBe(true)
  })

  it('keeps what looks like a template from being one', async () => {
    const all = filesOf(await steps(withFiles(file('/etc/chart', 'a: {{ .Values.x }}\n'))))
    expect(all.find(({ path }) => path === '/etc/chart')?.content).toBe('a: {{"{{"}} .Values.x }}\n')
  })

  it('keeps a template in binary content from being one: yip looks after decoding', async () => {
    const content = Buffer.from([0, 0x7b, 0x7b, 0xff]).toString('base64')
    const all = filesOf(await steps(withFiles(file('/etc/raw', content, { encoding: 'b64' }))))
    const raw = all.find(({ path }) => path === '/etc/raw')
    expect([raw?.encoding, Buffer.from(raw?.content ?? '', 'base64').toString('latin1')]).toEqual([
      'b64',
      '\u0000{{"{{"}}\u00ff',
    ])
  })

  it('finds its folder made, with a mode of the folder and not of the file', async () => {
    const all = await steps(withFiles(file('/opt/a/b/c', 'x', { permissions: '0600' })))
    const folders = all.flatMap((step) => step.directories ?? [])
    expect(folders).toContainEqual({ path: '/opt/a', permissions: 0o755 })
    expect(folders).toContainEqual({ path: '/opt/a/b', permissions: 0o755 })
  })

  it('that belongs to a user comes in a step after the users', async () => {
    const all = await steps(withFiles(file('/home/rancher/.profile', 'x', { owner: 'rancher:rancher' })))
    const user = all.findIndex((step) => step.users !== undefined)
    const owned = all.findIndex((step) => step.files?.some(({ path }) => path === '/home/rancher/.profile'))
    expect(user).toBeGreaterThan(-1)
    expect(owned).toBeGreaterThan(user)
  })
})

it('the release of k3s outlives a restart, although /etc does not', async () => {
  const [, link] = await steps(withFiles())
  expect(link?.commands).toEqual([
    'mkdir -p /usr/local/k3os-migrate && ln -sfn /usr/local/k3os-migrate /etc/k3os-migrate',
  ])
})

describe('Kairos', () => {
  const cloudConfig = async (config: K3osConfig, more = {}) => {
    const { text, rules } = await outputs('kairos', config, more)
    return { text: text('user-data'), rules, ...(parse(text('user-data')) as Record<string, unknown>) }
  }

  it('begins with its header', async () => {
    expect((await cloudConfig(withFiles())).text).toMatch(/^#cloud-config\n/)
  })

  it('has a user of the group without which it refuses to install', async () => {
    expect(await cloudConfig(withFiles())).toMatchObject({ users: [{ name: 'rancher', groups: ['admin'] }] })
  })

  it('turns on one role only, and says everything else in config.yaml', async () => {
    const agent = await cloudConfig(withFiles())
    expect(agent).toMatchObject({ 'k3s-agent': { enabled: true } })
    expect(agent).not.toHaveProperty('k3s')
    expect(agent).not.toHaveProperty('p2p')
  })

  it('holds its own unit until the release, and brings none beside it', async () => {
    const { text } = await cloudConfig(withFiles())
    expect(text).toContain('/etc/systemd/system/k3s-agent.service.d/10-k3os-migrate.conf')
    expect(text).not.toContain('path: /etc/systemd/system/k3s-agent.service\n')
  })

  it('names a disk only where one is known', async () => {
    const facts = factsWith({
      disks: [
        {
          name: 'sda',
          sizeMib: 1,
          model: null,
          serial: null,
          transport: null,
          partitions: [
            { name: 'sda1', sizeMib: 1, fsType: 'ext4', label: 'K3OS_STATE', uuid: null, mountpoint: null },
          ],
        },
      ],
    })
    expect(await cloudConfig(withFiles(), { facts })).toMatchObject({
      install: { device: '/dev/sda', auto: true },
    })
    const unknown = await cloudConfig(withFiles())
    expect(unknown).not.toHaveProperty('install')
    expect(unknown.rules).toContain('TRN-DISK-UNKNOWN')
  })
})

describe('Elemental with Rancher', () => {
  const manifests = async (config: K3osConfig) => {
    const { text, ...rest } = await outputs('elemental-rancher', config)
    const all = [...parseAllDocuments(text('registration.yaml')), ...parseAllDocuments(text('cluster.yaml'))]
    const documents = all.map(
      (one) => one.toJS() as { kind: string; metadata: { name: string }; spec: object },
    )
    return { ...rest, of: (kind: string) => documents.find((one) => one.kind === kind) }
  }

  it('never names the old cluster', async () => {
    const { text } = await outputs('elemental-rancher', withFiles())
    expect(text('registration.yaml') + text('cluster.yaml')).not.toMatch(/10\.0\.0\.1|secret-4711/)
  })

  it('puts stages and nothing else into cloud-config: other keys would be lost without a word', async () => {
    const { of } = await manifests(everyKey)
    const spec = of('MachineRegistration')?.spec as { config: { 'cloud-config': object } }
    expect(Object.keys(spec.config['cloud-config'])).toEqual(['name', 'stages'])
  })

  it('says when a node gets another name', async () => {
    const { of, rules } = await manifests({ ...withFiles(), hostname: 'Shop.1' })
    expect(of('MachineRegistration')?.metadata.name).toBe('shop-1')
    expect(rules).toContain('TRN-RANCHER-NAME')
  })

  it('makes a worker of an agent', async () => {
    const { of } = await manifests(withFiles())
    expect(of('Cluster')?.spec).toMatchObject({
      rkeConfig: { machinePools: [{ controlPlaneRole: false, etcdRole: false, workerRole: true }] },
    })
  })

  it('leaves to Rancher what its planner sets', async () => {
    const { of, rules } = await manifests({
      hostname: 'n1',
      k3os: { k3sArgs: ['server', '--cluster-init', '--disable=traefik'] },
    })
    const config = JSON.stringify(of('Cluster')?.spec)
    expect(config).toContain('"disable":["traefik"]')
    expect(config).not.toContain('cluster-init')
    expect(rules).toContain('TRN-RANCHER-OWN')
  })
})
