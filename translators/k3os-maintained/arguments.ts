import type { Finding } from '../../src/core/findings.ts'
import { readArguments } from '../../src/core/k3s/arguments.ts'
import { flagRefusal, type K3sFlag } from '../../src/core/k3s/flags.ts'
import { doubtfulParts, modernise, refusedValue, type Modernised } from '../../src/core/k3s/modernise.ts'
import { configPath, type ConfigPath } from '../../src/core/path.ts'
import { translateFinding } from '../../src/core/rules/translate.ts'
import type { ForK3s, Part } from './corrections.ts'

/** `k3s_args` as the k3s of the image takes them; every other word stays as it was, in its order. */
export function correctArguments(
  words: readonly string[],
  hasServerUrl: boolean,
  k3s: ForK3s,
): Part<readonly string[]> {
  const value: string[] = []
  const moved = new Map<ConfigPath, ConfigPath | null>()
  const findings: Finding[] = []
  const pathOf = (index: number): ConfigPath => configPath('k3os', 'k3sArgs', index)
  for (const argument of readArguments(words, hasServerUrl)) {
    const answer = argument.kind === 'flag' ? modernise(argument.flag, argument.value, k3s) : null
    const paths = argument.at.map(pathOf)
    const own =
      argument.kind !== 'flag' || answer === null
        ? argument.at.map((index) => words[index] ?? '')
        : answer.becomes.flatMap((one) => spelled(one, argument.at.length))
    for (const [index, path] of paths.entries())
      moved.set(path, own.length === 0 ? null : pathOf(value.length + Math.min(index, own.length - 1)))
    value.push(...own)
    // Of two words that say one thing, those that are other words now.
    const placesOf = (at: readonly number[]): ConfigPath[] => {
      const other = at.filter((index, position) => own[position] !== words[index])
      return (other.length === 0 ? at.slice(0, 1) : other).map(pathOf)
    }
    const said =
      argument.kind === 'flag'
        ? findingsOf(argument.flag, argument.value, answer, { ...k3s, paths: placesOf(argument.at) })
        : argument.kind === 'refused'
          ? paths.slice(0, 1).map((path) => {
              const { word, reason } = argument
              return translateFinding('TRN-MAINTAINED-REFUSED', { word, reason }, { node: k3s.node, path })
            })
          : []
    findings.push(...said)
  }
  return { value, moved, findings }
}

/** As it was written: in one word, or in two. */
function spelled({ name, value }: Modernised['becomes'][number], words: number): string[] {
  if (value === true) return [`--${name}`]
  return words === 1 ? [`--${name}=${value}`] : [`--${name}`, String(value)]
}

/** What there is to say of one flag, at each of its places. Values are not named: a token may be among them. */
export function findingsOf(
  flag: K3sFlag,
  value: string | boolean,
  answer: Modernised | null,
  k3s: ForK3s & { readonly paths: readonly ConfigPath[]; readonly discriminator?: string },
): Finding[] {
  const { version, role, node, discriminator } = k3s
  const each = (build: (where: { node: string; path: ConfigPath; discriminator?: string }) => Finding) =>
    k3s.paths.map((path) => build({ node, path, ...(discriminator === undefined ? {} : { discriminator }) }))
  if (answer !== null) {
    const { gone, instead, becomes } = answer
    const facts = { gone, version, instead }
    if (becomes.length === 0) return each((at) => translateFinding('TRN-MAINTAINED-REMOVED', facts, at))
    if (
      flag.name.endsWith('-arg') &&
      becomes.every(({ name }) => name === flag.name) &&
      !isRenamed(answer, value)
    )
      return each((at) => translateFinding('TRN-MAINTAINED-TRIMMED', facts, at))
    return each((at) =>
      translateFinding('TRN-MAINTAINED-CHANGED', { ...facts, becomes: becomes.map(nameOf) }, at),
    )
  }
  const word = `--${flag.name}`
  const reason = refusedValue(flag, value, version) ?? flagRefusal(flag, role, version)
  if (reason !== null) return each((at) => translateFinding('TRN-MAINTAINED-REFUSED', { word, reason }, at))
  return doubtfulParts(flag, value, version).flatMap((part) =>
    each((at) => translateFinding('TRN-MAINTAINED-DOUBTFUL', { word: part, version, reason: null }, at)),
  )
}

function isRenamed({ becomes }: Modernised, value: string | boolean): boolean {
  const name = (text: string): string => text.replace(/^-+/, '').split('=', 1)[0] ?? ''
  return becomes.some((one) => name(String(one.value)) !== name(String(value)))
}

/** `--disable`, `kube-apiserver-arg api-audiences`, `--flannel-backend=wireguard-native`. */
function nameOf({ name, value }: Modernised['becomes'][number]): string {
  if (name.endsWith('-arg')) return `${name} ${String(value).split('=', 1)[0]}`
  return name === 'flannel-backend' ? `--${name}=${value}` : `--${name}`
}
