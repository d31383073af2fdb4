import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { templateTools } from '../../../src/adapters/templates.ts'
import { translateNode, type NodeToTranslate } from '../../../src/core/translate-node.ts'
import type { Translator } from '../../../src/core/translation.ts'
import { translator as rancher } from '../../../translators/elemental-rancher/index.ts'
import { translator as elemental } from '../../../translators/elemental/index.ts'
import { translator as kairos } from '../../../translators/kairos/index.ts'
import type { K3osConfig } from '../../../src/core/k3os/config.ts'
import { caseNames } from '../../support/config-case.ts'
import { goldenNode } from '../../support/golden-node.ts'
import { everyKey, nodeFrom } from '../../support/translation.ts'
import { elementalMistakes, kairosMistakes, registrationMistakes } from '../../support/yip-rules.ts'

// What the loaders of Kairos and Elemental let pass, and the machine does not.

const root = fileURLToPath(new URL('../../golden/translate/', import.meta.url))
const cases = caseNames(root).filter((name) => name !== 'rejected')
const tools = templateTools()

function fileOf(node: NodeToTranslate, translator: Translator, name: string): string {
  const file = translateNode(node, translator, tools).files.find(({ path }) => path === name)
  return String(file?.content)
}

const documentOf = (node: NodeToTranslate) => fileOf(node, elemental, 'oem/99_k3os_migrate.yaml')
const userDataOf = (node: NodeToTranslate) => fileOf(node, kairos, 'user-data')
const registrationOf = (node: NodeToTranslate): unknown =>
  parseAllDocuments(fileOf(node, rancher, 'registration.yaml'))[0]?.toJS()

const odd: K3osConfig = {
  ...everyKey,
  writeFiles: [
    ...everyKey.writeFiles,
    ...['root', 'rancher', 'rancher:rancher', '1000:1000', '1000', "o'wner:{{x}}"].map((owner, index) => ({
      encoding: '',
      content: '{{{ .Values.x }}',
      owner,
      path: `/home/rancher/a b/{{${index}}}`,
      permissions: '4755',
    })),
  ],
}
const nodes: [name: string, node: NodeToTranslate][] = [
  ...cases.map((name): [string, NodeToTranslate] => [name, goldenNode(`${root}${name}`)]),
  ['every key, and odd files', nodeFrom(odd)],
]

describe.each(nodes)('%s keeps the rules that no loader asks for', (_, node) => {
  it('elemental', () => {
    expect(elementalMistakes(documentOf(node))).toEqual([])
  })

  it('kairos', () => {
    expect(kairosMistakes(userDataOf(node))).toEqual([])
  })

  it('elemental-rancher', () => {
    expect(registrationMistakes(registrationOf(node))).toEqual([])
  })
})

it('a taint without an effect is reported, as Rancher would refuse the whole cluster for it', () => {
  const node = nodeFrom({
    hostname: 'n1',
    k3os: { k3sArgs: ['server', '--node-taint=odd', '--node-taint=a=b:NoExecute'] },
  })
  const cluster = parse(fileOf(node, rancher, 'cluster.yaml')) as {
    readonly spec: { readonly rkeConfig: { readonly machinePools: readonly { readonly taints: unknown }[] } }
  }
  expect(cluster.spec.rkeConfig.machinePools[0]?.taints).toEqual([
    { key: 'a', value: 'b', effect: 'NoExecute' },
  ])
  const said = translateNode(node, rancher, tools).findings.map(({ summary }) => summary)
  expect(said).toContain('a taint is not carried: it has no effect that Kubernetes knows')
})

it.each(['\u0098', '\u007f', '\ufeff', '\uffff', '\u0000'])(
  'a file with %j in it is base64, as one such character spoils the whole document',
  (odd) => {
    const file = { encoding: '', content: `x${odd}\n`, owner: '', path: '/etc/odd', permissions: '' }
    const text = documentOf(nodeFrom({ hostname: 'n1', writeFiles: [file], k3os: {} }))
    expect(text).toContain(Buffer.from(file.content).toString('base64'))
  },
)

describe('the rules find', () => {
  const node = goldenNode(`${root}commands-in-boot-order`)
  const document = documentOf(node)
  const userData = userDataOf(node)

  it.each([
    ['an octal mode written as a decimal one', 'permissions: 420', 'permissions: 644'],
    ['a mode as a text', 'permissions: 420', 'permissions: "0644"'],
    ['a stage that nobody runs', '  initramfs:', '  initramf:'],
    ['a key of a step that does not exist', 'directories:', 'dirs:'],
    ['a key of a file that does not exist', '          content: |', '          contents: |'],
    ['an owner that may not exist', 'permissions: 420', 'permissions: 420\n          ownerstring: app'],
    ['a key of a user with a hyphen', 'ssh_authorized_keys', 'ssh-authorized-keys'],
    ['a template', 'net.ipv4.ip_forward = 1', 'net.ipv4.ip_forward = {{ .Values.x }}'],
    ['a file in a folder that nobody makes', '/etc/sysctl.d/80-', '/etc/sysctl.e/80-'],
  ])('%s', (_, right, wrong) => {
    expect(document).toContain(right)
    expect(elementalMistakes(document)).toEqual([])
    expect(elementalMistakes(document.replace(right, wrong))).not.toEqual([])
  })

  it.each([
    ['a missing header', '#cloud-config\n', ''],
    ['nobody who may administer', '- admin', '- users'],
    ['a block of k3s that is not turned on', 'enabled: true', 'enabled: false'],
    ['a key of k3s that is not read', 'enabled: true', 'enabled: true\n  server: https://x'],
    ['a key that is not read', 'stages:\n', 'bootcmd: []\nstages:\n'],
    ['peers, which start a VPN even when empty', 'stages:\n', 'p2p: {}\nstages:\n'],
    ['a disk that is none', 'stages:\n', 'install: {device: sda, auto: true}\nstages:\n'],
    [
      'two ends of an installation',
      'stages:\n',
      'install: {device: auto, auto: true, reboot: true, poweroff: true}\nstages:\n',
    ],
  ])('%s', (_, right, wrong) => {
    expect(userData).toContain(right)
    expect(kairosMistakes(userData)).toEqual([])
    expect(kairosMistakes(userData.replace(right, wrong))).not.toEqual([])
  })

  it.each([
    [
      'config-urls, which are passed to nobody',
      (spec: Registration) => (spec.config.elemental.install['config-urls'] = []),
    ],
    [
      'a way to register that does not exist',
      (spec: Registration) => (spec.config.elemental.registration['auth'] = 'none'),
    ],
    ['two dialects in one', (spec: Registration) => (spec.config['cloud-config']['write_files'] = [])],
    ['a name with a dot', (spec: Registration) => (spec.machineName = 'a.b')],
  ])('%s', (_, spoil) => {
    const registration = registrationOf(node) as { readonly spec: Registration }
    spoil(registration.spec)
    expect(registrationMistakes(registration)).toHaveLength(1)
  })
})

interface Registration {
  machineName: string
  readonly config: {
    readonly elemental: Record<'install' | 'registration', Record<string, unknown>>
    readonly 'cloud-config': Record<string, unknown>
  }
}
