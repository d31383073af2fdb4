import { createHmac, randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { readIfPresent } from '../adapters/files.ts'
import { rootFiles } from '../adapters/root-files.ts'
import { bundleFiles } from '../core/bundle-files.ts'
import { parseBundle } from '../core/bundle.ts'
import { exitCode, MigrateError, type ExitCode } from '../core/errors.ts'
import { sortFindings } from '../core/findings.ts'
import { readConfig } from '../core/k3os/read.ts'
import { effects, type Phase } from '../core/k3os/effects.ts'
import { printEffects } from '../core/k3os/print-effects.ts'
import { usualSpelling } from '../core/k3os/names.ts'
import type { MergedReading, RejectedReading } from '../core/k3os/reading.ts'
import { configSourcesFrom, sourcesIn, type NodeFiles } from '../core/k3os/sources.ts'
import { createRedactor, secretLeaves } from '../core/redact.ts'
import { configTable, effectsTable, findingLine, locatedValues } from '../output/config-text.ts'
import { json } from '../output/json.ts'
import { yaml } from '../core/yaml-text.ts'
import type { CommandIo } from './io.ts'

export interface ConfigOptions {
  /** Directory that holds a node's files; `/` when neither this nor a bundle is given. */
  readonly root?: string | undefined
  readonly bundle?: string | undefined
  readonly origins?: boolean | undefined
  readonly effects?: Phase | undefined
  readonly showSecrets?: boolean | undefined
  readonly output: 'table' | 'yaml' | 'json'
}

/**
 * Prints what k3OS itself sees of one node, or what it does with it in a phase; findings go to stderr. Exit 65 when k3OS
 * rejects the configuration, and when there is none.
 */
export async function config(options: ConfigOptions, io: CommandIo): Promise<ExitCode> {
  const files = await nodeFiles(options, io)
  const sources = await configSourcesFrom(files)
  if (!(await isK3os(files)) && Object.keys(sources).length + sources.configD.length <= 2)
    throw nothingThere(options)
  const phase = options.effects
  const mode = (await textOf(files, '/run/k3os/mode')).trim()
  const reading = readConfig(phase === undefined ? sources : sourcesIn(phase, mode, sources))
  if (reading.status === 'rejected') throw rejected(reading, io)

  const printer = printerFor(reading, options)
  for (const finding of sortFindings(reading.findings))
    if (finding.severity !== 'info') io.err(printer.scrub(findingLine(finding)))
  if (phase === undefined) io.out(printer.scrub(showConfig(reading, printer, options, io)))
  else {
    const k3osVersion = versionOf(await textOf(files, '/etc/os-release'))
    const done = effects(reading.config, { phase, mode, k3osVersion, hasK3s: true })
    const printed = printEffects(done, reading.config, options.showSecrets === true ? null : printer.mask)
    const text = {
      table: () => effectsTable(printed, io.columns),
      yaml: () => yaml(printed),
      json: () => json(printed),
    }
    io.out(printer.scrub(text[options.output]()))
  }
  return exitCode.ok
}

interface Printer {
  readonly config: MergedReading['config']
  readonly mask: (secret: string) => string
  readonly scrub: (text: string) => string
}

/** Nothing leaves without passing through it: secrets by their place first, then whatever still looks like one of them. */
function printerFor(reading: MergedReading, options: ConfigOptions): Printer {
  const key = randomBytes(32)
  const hmac8 = (value: string): string => createHmac('sha256', key).update(value).digest('hex').slice(0, 8)
  const mask = (secret: string): string => `<redacted:${hmac8(secret)}>`
  if (options.showSecrets === true) return { config: reading.config, mask, scrub: (text) => text }
  const secrets = secretLeaves(reading.config).map(({ secret }) => secret)
  const redactor = createRedactor(hmac8, secrets)
  return { config: redactor.redactConfig(reading.config), mask, scrub: (text) => redactor.scrub(text) }
}

function showConfig(reading: MergedReading, printer: Printer, options: ConfigOptions, io: CommandIo): string {
  const { origins } = reading
  const withOrigins = options.origins === true
  const document = withOrigins ? locatedValues(printer.config, origins) : printer.config
  switch (options.output) {
    case 'table':
      return configTable(printer.config, withOrigins ? origins : null, io.columns)
    case 'yaml':
      return yaml(document)
    case 'json':
      return json(document)
  }
}

async function nodeFiles(options: ConfigOptions, io: CommandIo): Promise<NodeFiles> {
  if (options.bundle === undefined) return rootFiles(resolve(io.cwd, options.root ?? '/'))
  const path = resolve(io.cwd, options.bundle)
  const bytes = await readIfPresent(path)
  if (bytes === undefined)
    throw new MigrateError(`cannot read ${options.bundle}: it does not exist`, {
      exitCode: exitCode.io,
      hint: usage,
    })
  return bundleFiles(parseBundle(bytes, options.bundle))
}

const usage = 'k3os-migrate config --root DIR, or --bundle FILE'

async function textOf(files: NodeFiles, path: string): Promise<string> {
  const file = await files.read(path)
  return file === undefined || 'unreadable' in file ? '' : new TextDecoder().decode(file.bytes)
}

function versionOf(osRelease: string): string {
  return /^VERSION_ID="?([^"\n]*)/m.exec(osRelease)?.[1] ?? 'unknown'
}

/** Every k3OS node has this directory; a few copied files may lie without it. */
async function isK3os(files: NodeFiles): Promise<boolean> {
  return (await files.list('/k3os/system')) !== undefined
}

function nothingThere(options: ConfigOptions): MigrateError {
  const where = options.bundle ?? options.root ?? 'this machine'
  return new MigrateError(
    `${where} holds no k3OS configuration: no /k3os/system and no file k3OS would read`,
    {
      exitCode: exitCode.badInput,
      hint: 'k3os-migrate config --root DIR, where DIR holds k3os/system or var/lib/rancher/k3os',
    },
  )
}

/** All mistakes on stderr, the first one as the error. */
function rejected(reading: RejectedReading, io: CommandIo): MigrateError {
  const [first, ...others] = reading.findings
  for (const finding of others) io.err(findingLine(finding))
  const { file, line, column } = reading.position
  if (!reading.certain)
    return new MigrateError(reading.reason, {
      exitCode: exitCode.io,
      position: { file },
      hint: first?.remediations[0]?.text ?? 'k3os-migrate config --root DIR',
    })
  return new MigrateError(
    `k3OS rejects the whole configuration: ${reading.reason}; the node runs without ${lossOf(reading)}`,
    {
      exitCode: exitCode.badInput,
      position: { file, line, column },
      hint: first?.remediations[0]?.text ?? `correct ${file}`,
    },
  )
}

const settingsNamed = 6

function lossOf({ without }: RejectedReading): string {
  // The install block matters to the installer only.
  const settings = without.filter((path) => !path.startsWith('k3os.install')).map(usualSpelling)
  const named = settings.slice(0, settingsNamed)
  const more = settings.length - named.length
  return [...named, ...(more > 0 ? [`${more} more settings`] : []), 'k3s']
    .join(', ')
    .replace(/, (k3s)$/, ' and $1')
}
