import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse, parseAllDocuments, stringify } from 'yaml'
import { rootWith, type Verdict } from './judges.ts'

// The targets' own parsers, in the programs that lab/validators.sh builds.

export type Validator =
  | 'butane'
  | 'ignition'
  | 'json-schema'
  | 'kairos'
  | 'manifest'
  | 'registries'
  | 'talos-1.13'
  | 'talos-1.14'
  | 'yip'

const script = fileURLToPath(new URL('../../lab/validators.sh', import.meta.url))
const { stdout: listed, stderr: complaint } = spawnSync(script, ['--where'], { encoding: 'utf8' })
const programs = new Map(
  listed
    .trimEnd()
    .split('\n')
    .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]),
)

/** What is missing of them, as `requirePart` wants it. */
export function missingValidators(): string | undefined {
  if (programs.size < 2) return `the targets' own parsers cannot be built here (${complaint.trim()})`
  const absent = [...programs.values()].filter((path) => !existsSync(path))
  return absent.length === 0
    ? undefined
    : `the targets' own parsers are not built (no ${absent.join(', ')}); run lab/validators.sh`
}

/** What the parser says of a text, `said` without the lines that only say yes. Throws when it could not be asked. */
export function validate(validator: Validator, text: string, ...flags: readonly string[]): Verdict {
  const [verdict] = validateAll(validator, [text], ...flags)
  if (verdict === undefined) throw new Error(`${validator} judged nothing`)
  return verdict
}

/** The same for several texts at once, for parsers that take long to start. */
export function validateAll(
  validator: Validator,
  texts: readonly string[],
  ...flags: readonly string[]
): Verdict[] {
  const root = rootWith(texts.map((text, index) => [`/${index}`, text]))
  const paths = texts.map((_, index) => `${root}/${index}`)
  const program = programs.get(validator === 'talos-1.14' ? 'talos-1.14' : 'validators') ?? ''
  const name = validator.startsWith('talos-') ? 'talos' : validator
  const { status, stdout, stderr } = spawnSync(program, [name, ...flags, ...paths], { encoding: 'utf8' })
  if (status !== 0 && status !== 1) throw new Error(`${validator} could not judge: ${stdout}${stderr}`)
  // Every line begins with the file, but for those of a long remark.
  const verdicts = new Map<string, { accepted: boolean; said: string }>()
  let current: { accepted: boolean; said: string } | undefined
  for (const line of stdout.trimEnd().split('\n')) {
    const path = paths.find((one) => line.startsWith(`${one}: `))
    const text = path === undefined ? line : line.slice(path.length + 2)
    if (path !== undefined) {
      current = verdicts.get(path) ?? { accepted: false, said: '' }
      verdicts.set(path, current)
    }
    if (current === undefined) throw new Error(`${validator} said: ${line}`)
    if (text === 'ok') current.accepted = true
    else if (text !== '') current.said += `${text}\n`
  }
  return paths.map((path) => {
    const verdict = verdicts.get(path)
    if (verdict === undefined) throw new Error(`${validator} said nothing about one of the files`)
    return verdict
  })
}

/** A file or folder as yip left it. */
export interface Written {
  readonly content: Buffer
  readonly mode: number
}

export interface WrittenByYip extends Verdict {
  /** By path on the node. */
  readonly files: ReadonlyMap<string, Written>
  /** Folders that yip made, with their modes. */
  readonly folders: ReadonlyMap<string, number>
}

/** Loads a yip document strictly, and lets yip itself write the files of the stage `initramfs`. */
export function writeByYip(text: string): WrittenByYip {
  const root = join(rootWith([]), 'tree')
  const verdict = validate('yip', text, '-strict', '-tree', root)
  const entries = existsSync(root) ? readdirSync(root, { recursive: true, withFileTypes: true }) : []
  const named = entries.map((entry) => {
    const path = join(entry.parentPath, entry.name)
    return { path, name: path.slice(root.length), mode: statSync(path).mode & 0o7777, isFile: entry.isFile() }
  })
  return {
    ...verdict,
    files: new Map(
      named.flatMap(({ path, name, mode, isFile }) =>
        isFile ? [[name, { content: readFileSync(path), mode }] as const] : [],
      ),
    ),
    folders: new Map(named.flatMap(({ name, mode, isFile }) => (isFile ? [] : [[name, mode] as const]))),
  }
}

/** What yip reads of a Kairos configuration; the rest of it is for other readers. */
export function stagesOfKairos(text: string): string {
  return stringify({ stages: (parse(text) as { readonly stages: object }).stages })
}

/** The file that a machine gets by its MachineRegistration: without a header, as it has stages (rancher/elemental-operator pkg/util). */
export function stagesOfRegistration(text: string): string {
  const registration = parseAllDocuments(text)[0]?.toJS() as {
    readonly spec: { readonly config: { readonly 'cloud-config': object } }
  }
  return stringify(registration.spec.config['cloud-config'])
}
