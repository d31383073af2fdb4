import type { Location } from '../findings.ts'
import { filePurpose } from '../host/files.ts'
import { hostEnvironment } from '../host/environment.ts'
import type { HostFile } from '../host/model.ts'
import type { K3osConfig } from '../k3os/config.ts'
import { effects, type EffectsContext } from '../k3os/effects.ts'
import type { MergedReading, Origin } from '../k3os/reading.ts'
import type { ConfigPath } from '../path.ts'
import { readArguments } from './arguments.ts'
import { wordsWithOrigin } from './command-line.ts'
import type { K3sFlag } from './flags.ts'
import { isDropIn, k3sPaths } from './paths.ts'
import { readFlagFile } from './user-config.ts'

/** What k3OS's configuration starts k3s with, each part with the place of its value. Values may be secret. */
export interface ConfiguredFlags {
  readonly flags: readonly (Placed & { readonly flag: K3sFlag; readonly value: string })[]
  /** Variables of the service, those that somebody wrote. */
  readonly variables: readonly (Placed & { readonly name: string; readonly value: string })[]
  /** Words that no k3s takes: it stops there. */
  readonly refused: readonly (Placed & { readonly word: string; readonly reason: string })[]
}

interface Placed {
  /** Null for what k3OS adds by itself. */
  readonly place: Location | null
  /** The first minor of k3s that looks there at all. */
  readonly readSince: number
}

/** k3s-io/k3s v1.19.1 reads a configuration file, v1.21.0 (k3s-io/k3s#3162) the drop-ins beside it. */
const filesSince = { file: 19, dropIn: 21 } as const

export function configuredFlags(
  { config, origins }: Pick<MergedReading, 'config' | 'origins'>,
  context: Omit<EffectsContext, 'phase' | 'hasK3s'>,
): ConfiguredFlags {
  const done = effects(config, { ...context, phase: 'boot', hasK3s: true })
  const start = done.find((effect) => effect.kind === 'k3s')
  const flags: ConfiguredFlags['flags'][number][] = []
  const refused: ConfiguredFlags['refused'][number][] = []
  if (start === undefined) return { flags, variables: [], refused }

  const words = wordsWithOrigin(start, config)
  const read = readArguments(
    words.map(({ text }) => text),
    start.environment['K3S_URL'] !== undefined,
  )
  let file = { path: k3sPaths.config as string, named: false }
  for (const argument of read) {
    // What a component is told stands in the value, the second of two words.
    const told = argument.kind === 'flag' && argument.flag.name.endsWith('-arg')
    const path = words[(told ? argument.at.at(-1) : argument.at[0]) ?? -1]?.from[0]
    const placed: Placed = { place: placeOf(path, origins), readSince: 0 }
    if (argument.kind === 'refused') refused.push({ ...argument, ...placed })
    if (argument.kind !== 'flag') continue
    flags.push({ flag: argument.flag, value: String(argument.value), ...placed })
    if (argument.flag.name === 'config') file = { path: String(argument.value), named: true }
  }

  const files = done.flatMap((effect): HostFile[] =>
    effect.kind === 'file' ? [{ ...effect, purpose: filePurpose(effect.path) }] : [],
  )
  const profile = files.findLast(({ purpose }) => purpose === 'environment')
  const { environment } = hostEnvironment('', profile, done)
  const variables = environment.map(({ name, value, from }) => ({
    name,
    value,
    place: placeOf(from.at(-1), origins),
    readSince: 0,
  }))
  const named = environment.find(({ name }) => name === 'K3S_CONFIG_FILE')?.value
  if (named !== undefined && !file.named) file = { path: named, named: true }
  for (const written of files) {
    const readSince = sinceFor(written.path, file.path)
    if (readSince !== null) flags.push(...flagsOfFile(written, readSince, config, origins))
  }
  return { flags, variables, refused }
}

function sinceFor(path: string, configFile: string): number | null {
  if (path === configFile) return filesSince.file
  return isDropIn(path, configFile) ? filesSince.dropIn : null
}

function flagsOfFile(
  file: HostFile,
  readSince: number,
  config: K3osConfig,
  origins: MergedReading['origins'],
): ConfiguredFlags['flags'] {
  const read = readFlagFile(new TextDecoder().decode(file.content))
  // What k3s cannot read either is a finding of the translation.
  if (typeof read === 'string') return []
  const path = file.from.find((from) => from.endsWith('.content'))
  const [, index] = /^writeFiles\[(\d+)\]/.exec(path ?? '') ?? []
  const encoded = index === undefined || config.writeFiles?.[Number(index)]?.encoding !== ''
  return read.flatMap(({ flag, values }) =>
    flag === undefined
      ? []
      : values.map(({ text: value, line }) => {
          const whole = placeOf(path, origins)
          return { flag, value, readSince, place: encoded ? whole : lineOfBlock(whole, file.content, line) }
        }),
  )
}

function placeOf(path: ConfigPath | undefined, origins: ReadonlyMap<ConfigPath, Origin>): Location | null {
  const place = path === undefined ? null : (origins.get(path)?.place ?? null)
  return path === undefined || place === null ? null : { ...place, path }
}

/** A file written as it stands (`content: |`) has one line of the configuration for each of its own. */
function lineOfBlock(block: Location | null, content: Uint8Array, line: number): Location | null {
  if (block === null || block.line === null || block.endLine === null) return block
  const lines = new TextDecoder().decode(content).replace(/\n+$/, '').split('\n').length
  if (block.endLine - block.line !== lines) return block
  return { ...block, line: block.line + line, column: null, endLine: null, endColumn: null }
}
