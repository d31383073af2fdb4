import { expect, test } from 'vitest'
import { templateTools } from '../../../src/adapters/templates.ts'
import { findTranslator } from '../../../src/commands/target.ts'
import { hostModel } from '../../../src/core/host/host-model.ts'
import type { NodeFacts } from '../../../src/core/inventory.ts'
import type { K3osConfig } from '../../../src/core/k3os/config.ts'
import { effects } from '../../../src/core/k3os/effects.ts'
import { translateNode } from '../../../src/core/translate-node.ts'
import { maintained } from '../../../translators/k3os-maintained/index.ts'
import { factsWith } from '../../support/golden-node.ts'
import { nodeFrom } from '../../support/translation.ts'

/** Findings that no golden case shows, each in the smallest node that has it, and the nearest one that has not. */

const tools = templateTools()

async function said(target: string, config: K3osConfig, facts: Partial<NodeFacts> = {}): Promise<string[]> {
  const node = nodeFrom(config, { facts: factsWith(facts) })
  return translateNode(node, await findTranslator(target), tools).findings.map(({ rule }) => rule)
}

const written = (path: string, content: string): K3osConfig => ({
  hostname: 'n1',
  writeFiles: [{ encoding: '', content, owner: '', path, permissions: '' }],
  k3os: {},
})
const plain: K3osConfig = { hostname: 'n1', k3os: {} }
const connman = (text: string): K3osConfig => written('/var/lib/connman/default.config', text)
const lan = '[service_eth0]\nType=ethernet\nMAC=52:54:00:aa:bb:01\n'
const dropIn = (key: string, path = '/etc/rancher/k3s/config.yaml.d/9.yaml'): K3osConfig => ({
  ...written(path, `${key}: [a=b]\n`),
  k3os: { k3sArgs: ['server', '--kubelet-arg=max-pods=50'] },
})
const started = (...k3sArgs: string[]): K3osConfig => ({ hostname: 'n1', k3os: { k3sArgs } })

test.each<[string, string, K3osConfig, K3osConfig]>([
  [
    'TRN-K3S-CONFIG-UNREAD',
    'debian',
    written('/etc/rancher/k3s/config.yaml', '- server\n'),
    written('/etc/rancher/k3s/config.yaml', 'disable: traefik\n'),
  ],
  ['TRN-K3S-DROP-IN-WINS', 'debian', dropIn('kubelet-arg'), dropIn('kubelet-arg+')],
  ['TRN-K3S-DROP-IN-WINS', 'debian', dropIn('kubelet-arg'), dropIn('kube-proxy-arg')],
  [
    'TRN-K3S-DROP-IN-WINS',
    'debian',
    dropIn('kubelet-arg'),
    dropIn('kubelet-arg', '/etc/other.yaml.d/9.yaml'),
  ],
  ['TRN-NET-CONNMAN-UNREAD', 'debian', connman('[global]\nName=x\n'), connman(lan)],
  [
    'TRN-NET-LATER-SECTION',
    'debian',
    connman(`${lan}${lan.replace('eth0', 'again')}`),
    connman(`${lan}${lan.replace('eth0', 'eth1').replace('bb:01', 'bb:02')}`),
  ],
  [
    'TRN-NET-SETTINGS-FILE',
    'debian',
    written('/var/lib/connman/ethernet_525400aabb01_cable/settings', 'Name=Wired\n'),
    connman(lan),
  ],
  ['TRN-RANCHER-NAME', 'elemental-rancher', { ...plain, hostname: 'N_1' }, plain],
  [
    'TRN-TALOS-PORT-UNKNOWN',
    'talos',
    connman('[service_any]\nType=ethernet\nIPv4=10.0.0.5/24/10.0.0.1\n'),
    connman('[service_any]\nType=ethernet\nIPv4=dhcp\n'),
  ],
])('%s is said for %s, and only where it is so', async (rule, target, shows, near) => {
  expect(await said(target, shows)).toContain(rule)
  expect(await said(target, near)).not.toContain(rule)
})

/** A server, with the k3s of the image. */
function ofImage(config: K3osConfig, version = 'v1.37.1+k3s1'): string[] {
  const k3s = { version: 'v1.21.5+k3s2', role: 'server', datastore: 'sqlite', hasNodePassword: true } as const
  const node = nodeFrom(config, { facts: factsWith({ k3s }) })
  return translateNode(node, maintained(version), tools).findings.map(({ rule }) => rule)
}

test('TRN-MAINTAINED-SOURCES is said where a metadata service may undo what was corrected', () => {
  const asked = (...k3sArgs: string[]) => ofImage({ hostname: 'n1', k3os: { dataSources: ['aws'], k3sArgs } })
  expect(asked('server', '--no-deploy', 'traefik')).toContain('TRN-MAINTAINED-SOURCES')
  expect(asked('server', '--disable', 'traefik')).not.toContain('TRN-MAINTAINED-SOURCES')
})

test('TRN-MAINTAINED-TRIMMED is said where one of several gates is left out', () => {
  const gates = (text: string) => ofImage(started('server', '--kubelet-arg', `feature-gates=${text}`))
  expect(gates('APIListChunking=true,NoSuchGate=true')).toContain('TRN-MAINTAINED-TRIMMED')
  expect(gates('NoSuchGate=true')).not.toContain('TRN-MAINTAINED-TRIMMED')
})

test('TRN-MAINTAINED-DOUBTFUL is said between the minors in which a flag may have gone', () => {
  const chance = (version: string) => ofImage(started('server', '--kubelet-arg', 'chaos-chance=0'), version)
  expect(chance('v1.23.4+k3s1')).toContain('TRN-MAINTAINED-DOUBTFUL')
  expect(chance('v1.21.9+k3s1')).not.toContain('TRN-MAINTAINED-DOUBTFUL')
})

test('TRN-TALOS-MEMORY is said of a server that is too small, and not of an agent', async () => {
  const small = { memoryMib: 1000 }
  expect(await said('talos', started('server'), small)).toContain('TRN-TALOS-MEMORY')
  expect(await said('talos', started('server'), { memoryMib: 8000 })).not.toContain('TRN-TALOS-MEMORY')
  const agent = { hostname: 'n1', k3os: { serverUrl: 'https://192.0.2.1:6443', token: 't' } }
  expect(await said('talos', agent, small)).not.toContain('TRN-TALOS-MEMORY')
})

test('TRN-UEFI-ONLY is said of a machine that boots by BIOS', async () => {
  expect(await said('microos', plain, { firmware: 'bios' })).not.toContain('TRN-UEFI-ONLY')
  expect(await said('elemental', plain, { firmware: 'bios' })).toContain('TRN-UEFI-ONLY')
  expect(await said('elemental', plain, { firmware: 'uefi' })).not.toContain('TRN-UEFI-ONLY')
})

test('TRN-K3S-NONE is said of a medium that only installs', () => {
  const model = (mode: string) =>
    hostModel({
      node: 'n1',
      config: plain,
      boot: effects(plain, { mode, k3osVersion: 'v0.21.5', hasK3s: true, phase: 'boot' }),
      runtime: effects(plain, { mode, k3osVersion: 'v0.21.5', hasK3s: true, phase: 'runtime' }),
      facts: null,
      secrets: null,
    }).findings.map(({ rule }) => rule)
  expect(model('install')).toContain('TRN-K3S-NONE')
  expect(model('local')).not.toContain('TRN-K3S-NONE')
})

test('TRN-K3S-DROP-IN-WINS is said of a k3s that reads drop-ins', async () => {
  const by = async (version: string) =>
    said('debian', dropIn('kubelet-arg'), {
      k3s: { version, role: 'server', datastore: 'sqlite', hasNodePassword: true },
    })
  expect(await by('v1.21.1+k3s1')).toContain('TRN-K3S-DROP-IN-WINS')
  expect(await by('v1.20.6+k3s1')).not.toContain('TRN-K3S-DROP-IN-WINS')
})
