import { fromBase64, toBase64 } from './base64.ts'
import { exitCode, MigrateError } from './errors.ts'

/**
 * What the collector (`templates/collector/collect.sh`) read on one node, as the node's own tree: the same shape comes
 * from a live node, an archive collected by hand, a mounted disk and the simulation. It holds secrets: 0600, never printed.
 *
 * Text, one record a line, bodies in base64 up to a line with a dot:
 *
 *     k3os-migrate-bundle 1
 *     file 600 0:0 /k3os/system/config.yaml
 *     aG9zdG5hbWU6IG4xCg==
 *     .
 *     link /k3os/system/k3s/current v1.21.5+k3s2
 *     dir 755 0:0 /sys/firmware/efi
 *     seen 600 0:0 4096 /var/lib/rancher/k3s/server/db/state.db
 *     absent /k3os/system/ephemeral
 *     text 644 0:0 /etc/hostname
 *     :n1
 *     .
 *     command 0 uname -r
 *     NS40LjAtODgtZ2VuZXJpYwo=
 *     .
 *     answers 6e1b0f1c-7a10-4c3d-9d7e-0a4f2b8c1d55
 *     (base64 of: the mark, " begin\n"; then output, "\n", the mark, exit status, command, "\n", so often as there are commands)
 *     .
 *     lines 6e1b0f1c-7a10-4c3d-9d7e-0a4f2b8c1d55
 *     (the same as it is, when it is printable ASCII, up to a line of the mark and "end")
 *     error /etc/rancher/k3s/registries.yaml permission denied
 *     end 7
 *
 * A `text` is a file of printable ASCII, each line behind a colon; behind a semicolon the last one when it is open. A `file`
 * whose body has a `!` could not be read to its end. The last field of a line is the rest of the line. A field that is not plain printable ASCII (or, unless it is the last,
 * holds a blank) is written as `b64:` and base64. An unknown mode, owner or size is `-`.
 */
export interface Bundle {
  readonly files: ReadonlyMap<string, BundleFile>
  /** Symbolic links, with their targets as stored. */
  readonly links: ReadonlyMap<string, string>
  readonly dirs: ReadonlyMap<string, Ownership>
  /** Exists, but its content was not carried: too large, or only its presence matters. A null size is unknown. */
  readonly seen: ReadonlyMap<string, Ownership & { readonly sizeBytes: number | null }>
  /** By command line as run: `uname -r`. Exit 127 = not installed; 124, 137, 143 = stopped after its time. */
  readonly commands: ReadonlyMap<string, CommandAnswer>
  /**
   * Asked for and not there. Holds for everything below a path as well, so `/` says "whatever is not listed does not
   * exist"; a pattern (`/etc/local.d/*`) says that nothing matches but what is listed.
   */
  readonly absent: ReadonlySet<string>
  /** Could not be read: by path or command line. It never means "absent". */
  readonly errors: ReadonlyMap<string, string>
}

export interface Ownership {
  /** Permission bits; null when unknown. */
  readonly mode: number | null
  /** `uid:gid`; null when unknown. */
  readonly owner: string | null
}

export interface BundleFile extends Ownership {
  readonly bytes: Uint8Array
}

export interface CommandAnswer {
  readonly exit: number
  readonly text: string
}

/** A node with everything a k3OS node has is well below 1 MiB; this only bounds what a broken one can send. */
export const maxBundleBytes = 64 * 1024 * 1024

/** A node with thousands of containers has a few thousand records; each costs a look at every question. */
const maxRecords = 50_000

/** More than this no command is believed to have printed. */
const maxAnswerChars = 1024 * 1024

const magic = 'k3os-migrate-bundle'
const version = 1
const collectAgain = 'collect it again: k3os-migrate inventory script > collect.sh'

/**
 * Reads an archive; `file` names it in errors (exit 65): not ours, a newer format, cut off, or not well-formed. Text before
 * the header is skipped, since login scripts may print.
 */
export function parseBundle(bytes: Uint8Array, file: string): Bundle {
  const fail = (line: number, message: string, hint = collectAgain): never => {
    throw new MigrateError(message, { exitCode: exitCode.badInput, hint, position: { file, line } })
  }
  if (bytes.length > maxBundleBytes)
    fail(1, `the bundle has ${bytes.length} bytes, more than ${maxBundleBytes} are not read`)

  const lines = new TextDecoder().decode(bytes).split('\n')
  let at = 0
  /** The next line; the archive may have passed through a system that ends lines with CR LF. */
  const next = (): string => {
    const line = lines[at]
    if (line === undefined || (line === '' && at === lines.length - 1))
      return fail(at + 1, 'the bundle is cut off: its last line is missing')
    at += 1
    return line.endsWith('\r') ? line.slice(0, -1) : line
  }

  const header = lines.findIndex((line) => line.startsWith(`${magic} `))
  if (header === -1) fail(1, `this is not a bundle: no line "${magic} ${version}"`)
  at = header
  const found = next().slice(magic.length + 1)
  if (found !== String(version))
    fail(at, `the bundle has format ${found}, this version reads format ${version}`, 'update k3os-migrate')

  const files = new Map<string, BundleFile>()
  const links = new Map<string, string>()
  const dirs = new Map<string, Ownership>()
  const seen = new Map<string, Ownership & { sizeBytes: number | null }>()
  const commands = new Map<string, CommandAnswer>()
  const absent = new Set<string>()
  const errors = new Map<string, string>()
  const taken = new Set<string>()

  const linesUntilDot = (): string[] => {
    const body: string[] = []
    for (let line = next(); line !== '.'; line = next()) body.push(line)
    return body
  }
  const bytesOf = (body: readonly string[], start: number): Uint8Array =>
    fromBase64(body.join('')) ?? fail(start + 1, 'the content of this record is not base64')
  const bodyAt = (): Uint8Array => {
    const start = at
    return bytesOf(linesUntilDot(), start)
  }
  const linesUntilEnd = (mark: string): string => {
    const body: string[] = []
    for (let line = next(); line !== `${mark} end`; line = next()) body.push(`${line}\n`)
    return body.join('')
  }
  const textAt = (): Uint8Array => {
    const start = at
    const body = linesUntilDot()
    const open = body.findIndex((line) => !/^:[\t -~]*$/.test(line))
    if (open !== -1 && (open !== body.length - 1 || !/^;[\t -~]+$/.test(body[open] ?? '')))
      fail(start + open + 1, 'the content of this record is not text')
    const text = body.map((line) => line.slice(1)).join('\n')
    return new TextEncoder().encode(open === -1 && body.length > 0 ? `${text}\n` : text)
  }
  const decoded = (field: string): string => {
    if (!field.startsWith('b64:')) return field
    const raw = fromBase64(field.slice(4)) ?? fail(at, 'a name in this record is not base64')
    return new TextDecoder().decode(raw)
  }
  const once = (name: string): string => {
    if (taken.has(name)) fail(at, `"${printable(name)}" appears twice`)
    taken.add(name)
    return name
  }
  const pathOf = (field: string): string => {
    const path = decoded(field)
    if (!isNormalPath(path)) fail(at, `"${printable(path)}" is not a normal absolute path`)
    return once(path)
  }
  const ownershipOf = (mode: string, owner: string): Ownership => {
    if (!/^(-|[0-7]{1,4})$/.test(mode)) fail(at, `"${printable(mode)}" is not a file mode`)
    if (!/^(-|\d+:\d+)$/.test(owner)) fail(at, `"${printable(owner)}" is not an owner`)
    return { mode: mode === '-' ? null : Number.parseInt(mode, 8), owner: owner === '-' ? null : owner }
  }
  const numberOf = (field: string): number =>
    /^\d{1,15}$/.test(field) ? Number(field) : fail(at, `"${printable(field)}" is not a number`)

  for (let count = 0; ; count += 1) {
    if (count > maxRecords) fail(at, `the bundle has more than ${maxRecords} records`)
    const line = next()
    const kind = line.split(' ', 1)[0] ?? ''
    const rest = line.slice(kind.length + 1)
    switch (kind) {
      case 'file': {
        const [mode, owner, path] = fields(rest, 3)
        const name = pathOf(path)
        const ownership = ownershipOf(mode, owner)
        const start = at
        const body = linesUntilDot()
        if (body.at(-1)?.endsWith('!') === true) errors.set(name, 'it could not be read')
        else files.set(name, { ...ownership, bytes: bytesOf(body, start) })
        break
      }
      case 'text': {
        const [mode, owner, path] = fields(rest, 3)
        const name = pathOf(path)
        files.set(name, { ...ownershipOf(mode, owner), bytes: textAt() })
        break
      }
      case 'link': {
        const [path, target] = fields(rest, 2)
        links.set(pathOf(path), decoded(target))
        break
      }
      case 'dir': {
        const [mode, owner, path] = fields(rest, 3)
        dirs.set(pathOf(path), ownershipOf(mode, owner))
        break
      }
      case 'seen': {
        const [mode, owner, size, path] = fields(rest, 4)
        seen.set(pathOf(path), {
          ...ownershipOf(mode, owner),
          sizeBytes: size === '-' ? null : numberOf(size),
        })
        break
      }
      case 'absent':
        absent.add(pathOf(rest))
        break
      case 'command': {
        const [exit, name] = fields(rest, 2)
        const commandLine = once(decoded(name))
        const answer = numberOf(exit)
        commands.set(commandLine, { exit: answer, text: new TextDecoder().decode(bodyAt()) })
        break
      }
      case 'answers':
      case 'lines':
        for (const { commandLine, exit, text } of splitAnswers(
          kind === 'lines' ? linesUntilEnd(rest) : new TextDecoder().decode(bodyAt()),
          rest,
        )) {
          once(commandLine)
          if (text.length > maxAnswerChars)
            errors.set(commandLine, `it printed more than ${maxAnswerChars} bytes`)
          else commands.set(commandLine, { exit, text })
        }
        break
      case 'error': {
        const [name, reason] = fields(rest, 2)
        errors.set(once(decoded(name)), decoded(reason))
        break
      }
      case 'end': {
        if (numberOf(rest) !== count) fail(at, `the bundle says it has ${rest} records, ${count} are there`)
        const after = lines.findIndex((text, index) => index >= at && text.trim() !== '')
        if (after !== -1) fail(after + 1, 'there is more text after the end of the bundle')
        return { files, links, dirs, seen, commands, absent, errors }
      }
      default:
        fail(at, `"${printable(kind)}" is not a kind of record`)
    }
  }
}

/** What follows the last mark belongs to a command that did not end, which the collector asked again. */
function* splitAnswers(
  all: string,
  mark: string,
): Generator<{ readonly commandLine: string; readonly exit: number; readonly text: string }> {
  const separator = `\n${mark} `
  const begin = `${mark} begin\n`
  let start = all.startsWith(begin) ? begin.length : 0
  for (;;) {
    const end = all.indexOf(separator, start)
    if (end === -1) return
    const [, exit = '', commandLine = ''] =
      /^(\d{1,3}) ([^\n]+)\n/.exec(all.slice(end + separator.length, end + separator.length + 4096)) ?? []
    if (commandLine === '') return
    const text = all.slice(start, end)
    // The shell that read single answers has always made one end of the line of none or several.
    yield { commandLine, exit: Number(exit), text: text === '' || text.endsWith('\n') ? text : `${text}\n` }
    start = end + separator.length + exit.length + 1 + commandLine.length + 1
  }
}

/** The inverse of `parseBundle`, in the order of the maps. Throws a TypeError for a path that no bundle can hold. */
export function formatBundle(bundle: Bundle): string {
  const records: string[] = []
  const path = (text: string): string => {
    if (!isNormalPath(text)) throw new TypeError(`not a normal absolute path: ${printable(text)}`)
    return text
  }
  for (const [name, file] of bundle.files)
    records.push(`file ${ownership(file)} ${lastField(path(name))}\n${body(file.bytes)}.`)
  for (const [name, target] of bundle.links) records.push(`link ${field(path(name))} ${lastField(target)}`)
  for (const [name, dir] of bundle.dirs) records.push(`dir ${ownership(dir)} ${lastField(path(name))}`)
  for (const [name, { sizeBytes, ...owned }] of bundle.seen)
    records.push(`seen ${ownership(owned)} ${sizeBytes ?? '-'} ${lastField(path(name))}`)
  for (const name of bundle.absent) records.push(`absent ${lastField(path(name))}`)
  for (const [name, { exit, text }] of bundle.commands)
    records.push(`command ${exit} ${lastField(name)}\n${body(new TextEncoder().encode(text))}.`)
  for (const [name, reason] of bundle.errors) records.push(`error ${field(name)} ${lastField(reason)}`)
  return [`${magic} ${version}`, ...records, `end ${records.length}`, ''].join('\n')
}

/** Splits off `count - 1` fields; the last one keeps its blanks. Missing ones are empty and fail their own check. */
function fields(text: string, count: 2): [string, string]
function fields(text: string, count: 3): [string, string, string]
function fields(text: string, count: 4): [string, string, string, string]
function fields(text: string, count: number): string[] {
  const parts = text.split(' ')
  const head = parts.slice(0, count - 1)
  return [...head, ...Array<string>(count - 1 - head.length).fill(''), parts.slice(count - 1).join(' ')]
}

function isNormalPath(path: string): boolean {
  if (path === '/') return true
  return (
    path.startsWith('/') &&
    !path.includes('\0') &&
    path
      .slice(1)
      .split('/')
      .every((segment) => segment !== '' && segment !== '.' && segment !== '..')
  )
}

function ownership({ mode, owner }: Ownership): string {
  return `${mode === null ? '-' : mode.toString(8)} ${owner ?? '-'}`
}

function field(text: string): string {
  return /^[!-~]+$/.test(text) ? lastField(text) : base64Field(text)
}

function lastField(text: string): string {
  return /^[ -~]*$/.test(text) && !text.startsWith('b64:') ? text : base64Field(text)
}

function base64Field(text: string): string {
  return `b64:${toBase64(new TextEncoder().encode(text))}`
}

function body(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll(/.{1,76}/g, '$&\n')
}

/** A name in a message: foreign input must not steer a terminal or flood it. */
function printable(text: string): string {
  const plain = text.replaceAll(/[^ -~]/g, '?')
  return plain.length > 80 ? `${plain.slice(0, 80)}…` : plain
}
