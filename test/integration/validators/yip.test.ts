import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { templateTools } from '../../../src/adapters/templates.ts'
import { translateNode } from '../../../src/core/translate-node.ts'
import { translator as elemental } from '../../../translators/elemental/index.ts'
import { goldenNode } from '../../support/golden-node.ts'
import {
  goldenCases,
  goldenFile,
  goldenFolder,
  judgeUnits,
  keyfileAsRead,
  missingTools,
  shellcheck,
} from '../../support/judges.ts'
import { requirePart } from '../../support/require-part.ts'
import { nodeFrom } from '../../support/translation.ts'
import {
  missingValidators,
  stagesOfKairos,
  stagesOfRegistration,
  validate,
  validateAll,
  writeByYip,
  type WrittenByYip,
} from '../../support/validators.ts'

// The stages of Elemental and Kairos, loaded strictly and written to a folder by rancher/yip itself; what lies there then goes
// to the programs that would read it on the machine.

const skip = requirePart(
  'VALIDATORS',
  missingValidators() ??
    missingTools(['nmcli', 'systemd-analyze', 'shellcheck'], 'network-manager systemd shellcheck'),
)
const nothing = { accepted: true, said: '' }
const elementalFile = 'oem/99_k3os_migrate.yaml'
const read = (name: string, target: string, file: string) =>
  readFileSync(goldenFile(name, target, file), 'utf8')

/** The document that yip loads, of each target. */
const documents: Readonly<Record<string, { readonly file: string; readonly of: (text: string) => string }>> =
  {
    elemental: { file: elementalFile, of: (text) => text },
    'elemental-rancher': {
      file: 'registration.yaml',
      of: stagesOfRegistration,
    },
    kairos: {
      file: 'user-data',
      of: stagesOfKairos,
    },
  }

/** Each is written once, for all tests of it. */
const written = new Map<string, WrittenByYip>()
function treeOf(name: string, target: string): WrittenByYip {
  const { file, of } = documents[target] ?? { file: '', of: String }
  const key = `${target} ${name}`
  const known = written.get(key) ?? writeByYip(of(read(name, target, file)))
  written.set(key, known)
  return known
}

/** Units by path, with a stand-in for those that come with the image and only get a drop-in here. */
function unitsOf({ files }: WrittenByYip): Map<string, string> {
  const units = new Map<string, string>()
  for (const [path, { content }] of files)
    if (path.startsWith('/etc/systemd/system/')) {
      units.set(path, content.toString())
      const [extended] = /^.*\.service(?=\.d\/)/.exec(path) ?? []
      if (extended !== undefined && !files.has(extended))
        units.set(extended, '[Service]\nExecStart=/usr/local/bin/k3s server\n')
    }
  return units
}

describe.skipIf(skip).each(Object.entries(documents))('%s', (target, { file }) => {
  describe.each(goldenCases(target, file))('%s', (name) => {
    it('is loaded, and every template in it comes out as text', () => {
      const { accepted, said } = treeOf(name, target)
      expect({ accepted, said }).toEqual({ accepted: true, said: '' })
    })

    it('has units that systemd takes', () => {
      const files = unitsOf(treeOf(name, target))
      // Rancher brings everything of a plain node itself.
      const verdict = files.size === 0 ? nothing : judgeUnits(files)
      expect(verdict).toEqual(nothing)
    })

    it('has keyfiles that NetworkManager reads as they are meant', () => {
      for (const [path, { content, mode }] of treeOf(name, target).files)
        if (path.endsWith('.nmconnection')) {
          // Others may not read them, or NetworkManager passes them over.
          expect([path, mode.toString(8)]).toEqual([path, '600'])
          expect([path, keyfileAsRead(content.toString())]).toEqual([path, content.toString()])
        }
    })

    it('has scripts without mistakes', () => {
      const said = [...treeOf(name, target).files]
        .filter(([path]) => /^\/etc\/k3os-migrate\/[^/]+\.sh$/.test(path))
        .map(([, { content }]) => shellcheck(content.toString(), 'sh').said)
      expect(said.filter((text) => text !== '')).toEqual([])
    })

    it('hides what is secret', () => {
      const open = [...treeOf(name, target).files].filter(
        ([path, { mode }]) =>
          /^\/etc\/rancher\/(?!.*\/manifests\/)|\.env$|\/password$|_key$/.test(path) && (mode & 0o077) !== 0,
      )
      expect(open.map(([path]) => path)).toEqual([])
    })
  })
})

describe.skipIf(skip)('registries.yaml', () => {
  it.each(Object.entries(documents))('of %s is read by k3s', (target, { file }) => {
    const texts = goldenCases(target, file).flatMap((name) => {
      const registries = treeOf(name, target).files.get('/etc/rancher/k3s/registries.yaml')
      return registries === undefined ? [] : [registries.content.toString()]
    })
    expect(texts.length).toBeGreaterThan(0)
    expect(validateAll('registries', texts)).toEqual(texts.map(() => nothing))
  })

  it('is refused with a key that k3s would pass over', () => {
    expect(validate('registries', 'mirrors: {docker.io: {endpoint: [https://x]}}\n').accepted).toBe(true)
    expect(validate('registries', 'mirrors: {docker.io: {endpoints: [https://x]}}\n').accepted).toBe(false)
  })
})

describe.skipIf(skip)('what yip writes', () => {
  it('is every file of the node, in the trace of Elemental', () => {
    for (const name of goldenCases('elemental', elementalFile)) {
      const { trace } = translateNode(goldenNode(goldenFolder(name)), elemental, templateTools())
      const paths = trace.flatMap(({ to }) => (to.path?.startsWith('/') === true ? [to.path] : []))
      const { files } = treeOf(name, 'elemental')
      expect(paths.filter((path) => !files.has(path))).toEqual([])
    }
  })

  it.each([
    'values: {{ .Values.x }}\n',
    '{{- if x }}{{{y}}}{{ end -}}\n',
    '{{{{ "a" }}}} {{"{{"}} `{{`\n',
    '{{ unclosed\n',
    'no end of line {{',
    '{ {{\u0001}} {\n',
  ])('is what stood in the configuration: %j', (content) => {
    const file = { encoding: '', content, owner: '', path: '/opt/chart/values.yaml', permissions: '0640' }
    const node = nodeFrom({ hostname: 'n1', writeFiles: [file], k3os: {} })
    const { files } = translateNode(node, elemental, templateTools())
    const text = String(files.find(({ path }) => path === elementalFile)?.content)
    const tree = writeByYip(text)
    expect({ accepted: tree.accepted, said: tree.said }).toEqual({ accepted: true, said: '' })
    const { content: onDisk, mode } = tree.files.get(file.path) ?? {}
    expect([onDisk?.toString(), mode]).toEqual([content, 0o640])
    expect(tree.folders.get('/opt/chart')).toBe(0o755)
  })
})

describe.skipIf(skip)('yip refuses', () => {
  const right = skip ? '' : read('static-two-ports', 'elemental', elementalFile)

  it.each([
    ['a mode as a text', 'permissions: 420', 'permissions: "0644"'],
    ['commands that are no list', 'commands:\n        - ', 'commands: '],
    ['an unknown key, when told to be strict', 'directories:', 'dirs:'],
    ['a stage that nobody runs, when told to be strict', '  initramfs:', '  initramf:'],
    ['a template that cannot be rendered, when told to be strict', 'vm.max_map_count', '{{ .x'],
  ])('%s', (_, good, bad) => {
    expect(right).toContain(good)
    expect(writeByYip(right.replace(good, bad)).accepted).toBe(false)
  })

  it('a document without a stage', () => {
    expect(validate('yip', 'name: x\n').accepted).toBe(false)
  })

  it('stages that do not decode below a header, which the loader itself drops without a word', () => {
    const wrong = `#cloud-config\nhostname: x\n${right.replace('permissions: 420', 'permissions: "0644"')}`
    expect(validate('yip', wrong).accepted).toBe(false)
  })
})

describe.skipIf(skip)('systemd refuses', () => {
  it('a drop-in of Kairos with a key that does not exist', () => {
    const units = unitsOf(treeOf('static-two-ports', 'kairos'))
    const wrong = [...units].map(
      ([path, text]) => [path, text.replace('ConditionPathExists=', 'ConditionPath=')] as const,
    )
    expect(judgeUnits(units).accepted).toBe(true)
    expect(judgeUnits(new Map(wrong)).accepted).toBe(false)
  })
})
