import { toBase64 } from '../base64.ts'
import { firstInvalidUtf8, utf8Decode } from './bytes.ts'
import { trimSpace } from './coerce.ts'
import { type IgnoredArgument, readCommandLine } from './cmdline.ts'
import { compareBytes } from './compare.ts'
import type { ConfigSources, SourceText, UnreadableSource } from './config.ts'
import type { Place, SourceKind } from './reading.ts'
import { Source } from './source.ts'
import type { Entry, List, Scalar, Table } from './value.ts'
import { readYaml, type YamlNote } from './yaml/document.ts'
import { YamlProblem } from './yaml/problem.ts'

/** What one source says, before names and types are looked at. */
export interface Loaded {
  readonly kind: SourceKind
  readonly source: Source
  /** Null when it says nothing. */
  readonly table: Table | null
  readonly notes: readonly YamlNote[]
  readonly ignored: readonly IgnoredArgument[]
  /** User data that is a script or a binary, and so no configuration. */
  readonly script: 'text' | 'binary' | null
}

/** A source k3OS cannot read, which makes it discard all of them. */
export interface Unloadable {
  readonly kind: SourceKind
  readonly place: Place
  /** Continues "file: "; says nothing about values. */
  readonly problem: string
  readonly cause: 'read' | 'unknown' | 'yaml' | 'root'
}

export interface LoadedSources {
  readonly loaded: readonly Loaded[]
  readonly unloadable: readonly Unloadable[]
  /** Metadata files that exist and cannot be read; k3OS goes on without them. */
  readonly skipped: readonly UnreadableSource[]
}

/** All sources in order of rising precedence: rancher/k3os pkg/config/read.go, read_cc.go. */
export function loadSources(sources: ConfigSources): LoadedSources {
  const loaded: Loaded[] = []
  const unloadable: Unloadable[] = []
  const take = (kind: SourceKind, file: SourceText | UnreadableSource | undefined, load: Load): void => {
    if (file === undefined) return
    const result = 'unreadable' in file ? unreadable(kind, file) : load(kind, file)
    if ('problem' in result) unloadable.push(result)
    else loaded.push(result)
  }
  take('system', sources.system, loadYaml)
  take('cmdline', sources.cmdline, loadCommandLine)
  take('local', sources.local, loadYaml)
  const metadata = [sources.localHostname, sources.authorizedKeys]
  loaded.push(...loadMetadata(sources))
  take('userdata', sources.userdata, loadUserData)
  const dropIns = sources.configD.toSorted((a, b) => compareBytes(baseName(a.file), baseName(b.file)))
  for (const file of dropIns) take('config.d', file, loadYaml)
  const skipped = metadata.filter((file) => file !== undefined && 'unreadable' in file)
  return { loaded, unloadable, skipped }
}

type Load = (kind: SourceKind, file: SourceText) => Loaded | Unloadable

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function unreadable(kind: SourceKind, file: UnreadableSource): Unloadable {
  const cause = file.unknown === true ? 'unknown' : 'read'
  return { kind, place: startOf(file.file), problem: file.unreadable, cause }
}

function startOf(file: string): Place {
  return { file, line: 1, column: 1, endLine: 1, endColumn: 1 }
}

function plain(kind: SourceKind, source: Source, table: Table | null): Loaded {
  return { kind, source, table, notes: [], ignored: [], script: null }
}

function loadYaml(kind: SourceKind, file: SourceText): Loaded | Unloadable {
  const text = decodeYamlText(file.bytes)
  const source = new Source(kind, file.file, text.text)
  if (text.invalidAt >= 0) {
    const place = source.place(text.invalidAt, text.invalidAt + 1)
    return { kind, place, problem: 'the file is not UTF-8 text', cause: 'yaml' }
  }
  try {
    const { root, notes } = readYaml(source)
    if (root !== null && root.kind !== 'table' && !(root.kind === 'scalar' && root.value === null)) {
      const found = root.kind === 'list' ? 'a list' : 'a plain value'
      const problem = `the file is ${found} where keys and values are needed`
      return { kind, place: source.place(root.start, root.end), problem, cause: 'root' }
    }
    const table = root?.kind === 'table' ? root : null
    return { ...plain(kind, source, table), notes }
  } catch (cause) {
    if (!(cause instanceof YamlProblem)) throw cause
    return { kind, place: source.place(cause.at, cause.at), problem: cause.message, cause: 'yaml' }
  }
}

/** libyaml reads UTF-8, and UTF-16 with a byte order mark. `invalidAt` is an offset into the decoded text, or -1. */
function decodeYamlText(bytes: Uint8Array): { text: string; invalidAt: number } {
  const [first, second] = bytes
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    const text = decodeUtf16(bytes.subarray(2), first === 0xff)
    const odd = bytes.length % 2 === 1
    return { text: `\ufeff${text}`, invalidAt: odd || !text.isWellFormed() ? text.length : -1 }
  }
  const bad = firstInvalidUtf8(bytes)
  return { text: utf8Decode(bytes), invalidAt: bad < 0 ? -1 : utf8Decode(bytes.subarray(0, bad)).length }
}

function decodeUtf16(bytes: Uint8Array, littleEndian: boolean): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let text = ''
  for (let index = 0; index + 1 < bytes.length; index += 2)
    text += String.fromCharCode(view.getUint16(index, littleEndian))
  return text
}

function loadCommandLine(kind: SourceKind, file: SourceText): Loaded {
  const source = new Source(kind, file.file, utf8Decode(file.bytes))
  const { table, ignored } = readCommandLine(source)
  return { ...plain(kind, source, table), ignored }
}

/** Both files of the metadata service are one source; an existing host name file counts even when it is empty. */
function loadMetadata(sources: ConfigSources): Loaded[] {
  const loaded: Loaded[] = []
  const hostname = sources.localHostname
  if (hostname !== undefined && 'bytes' in hostname) {
    const source = new Source('metadata', hostname.file, utf8Decode(hostname.bytes))
    loaded.push(
      plain('metadata', source, tableOf(source, { hostname: trimmed(source, 0, source.text.length) })),
    )
  }
  const keys = sources.authorizedKeys
  if (keys !== undefined && 'bytes' in keys) {
    const source = new Source('metadata', keys.file, utf8Decode(keys.bytes))
    const items = linesOf(source)
    if (items.length > 0) {
      const list: List = {
        kind: 'list',
        items,
        source,
        start: items[0]?.start ?? 0,
        end: items.at(-1)?.end ?? 0,
      }
      loaded.push(plain('metadata', source, tableOf(source, { ssh_authorized_keys: list })))
    }
  }
  return loaded
}

function linesOf(source: Source): Scalar[] {
  const items: Scalar[] = []
  let start = 0
  for (const line of source.text.split('\n')) {
    const item = trimmed(source, start, start + line.length)
    if (item.value !== '') items.push(item)
    start += line.length + 1
  }
  return items
}

function trimmed(source: Source, start: number, end: number): Scalar {
  const raw = source.text.slice(start, end)
  const value = trimSpace(raw)
  const from = start + raw.indexOf(value)
  return { kind: 'scalar', value, source, start: from, end: from + value.length }
}

function tableOf(source: Source, values: Readonly<Record<string, Scalar | List | Table>>): Table {
  const end = source.text.length
  const entries = new Map<string, Entry>()
  for (const [key, value] of Object.entries(values)) entries.set(key, { value, keyStart: 0, keyEnd: 0 })
  return { kind: 'table', entries, source, start: 0, end }
}

/** Where k3OS puts user data that is a program; `run_cmd` sources it. */
const userDataScript = '/run/k3os/userdata'

function loadUserData(kind: SourceKind, file: SourceText): Loaded | Unloadable {
  const binary = file.bytes.includes(0)
  const script = binary || (file.bytes[0] === 0x23 && file.bytes[1] === 0x21)
  if (!script) return loadYaml(kind, file)
  const source = new Source(kind, file.file, utf8Decode(file.bytes))
  const end = source.text.length
  const text = (value: string): Scalar => {
    return { kind: 'scalar', value, made: value !== source.text, source, start: 0, end }
  }
  const entry = tableOf(source, {
    encoding: text(binary ? 'b64' : ''),
    content: text(binary ? toBase64(file.bytes) : source.text),
    owner: text('root'),
    path: text(userDataScript),
    permissions: text('0700'),
  })
  const list = (item: Scalar | Table): List => ({ kind: 'list', items: [item], source, start: 0, end })
  const table = tableOf(source, {
    writeFiles: list(entry),
    // The Go struct has no way to leave k3os out.
    k3os: tableOf(source, {}),
    runCmd: list(text(`source ${userDataScript}`)),
  })
  return { ...plain(kind, source, table), script: binary ? 'binary' : 'text' }
}
