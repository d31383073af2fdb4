import { removedApiTable } from '../data/removed-apis.ts'
import { endedFlagTable, removedFlagTable, removedValueTable } from '../data/removed-flags.ts'
import { removedGateTable } from '../data/removed-gates.ts'
import type { ServiceFacts } from '../machine-facts.ts'
import { readArguments } from './arguments.ts'
import { flagOfVariable, type K3sFlag } from './flags.ts'

/**
 * What of a k3s command line, and of the APIs a cluster serves, breaks at which minor of Kubernetes on the way up. k3s takes
 * one minor after the other, so each step counts.
 */

/** The newest line of k3s that the tables know. */
export const newestMinor = 37

export interface Break {
  /** `--no-deploy`, `kubelet-arg network-plugin`, `feature gate RotateKubeletServerCertificate` */
  readonly what: string
  readonly kind: 'flag' | 'gate'
  /** Minors: it works up to the one before `from`, and not from `to` on. Between them it is not known. */
  readonly from: number
  readonly to: number
  /** The minor was named by others and not seen in the source. */
  readonly doubtful: boolean
  readonly instead: string | null
}

/** Flags of k3s that hand on flags of a Kubernetes component. */
const components: Readonly<Record<string, string>> = {
  'kubelet-arg': 'kubelet',
  'kube-proxy-arg': 'kube-proxy',
  'kube-apiserver-arg': 'kube-apiserver',
  'kube-controller-manager-arg': 'kube-controller-manager',
  'kube-controller-arg': 'kube-controller-manager',
  'kube-scheduler-arg': 'kube-scheduler',
}

const rows = (table: string): string[][] =>
  table
    .trim()
    .split('\n')
    .map((line) => line.split(' '))

const removedFlags = new Map(
  rows(removedFlagTable).map(([component = '', flag = '', from, to, sure, ...instead]) => [
    `${component} ${flag}`,
    { from: Number(from), to: Number(to), doubtful: sure === '~', instead: orNull(instead.join(' ')) },
  ]),
)

const removedValues = rows(removedValueTable).map(
  ([component = '', flag = '', value = '', minor, ...instead]) => ({
    component,
    flag,
    value,
    minor: Number(minor),
    instead: orNull(instead.join(' ')),
  }),
)

/** By `no-deploy`, `flannel-backend=wireguard`. */
const endedFlags = new Map(
  rows(endedFlagTable).map(([name = '', minor, ...instead]) => [
    name,
    { ...plainEnd(Number(minor)), instead: orNull(instead.join(' ')) },
  ]),
)

const removedGates = new Map(
  rows(removedGateTable).map(([name = '', removed, locked, value]) => [
    name,
    { removed: minorOrNull(removed), locked: minorOrNull(locked), value: value ?? '-' },
  ]),
)

const removedApis = rows(removedApiTable).map(([version = '', since, minor, instead = '-', kinds = '']) => ({
  version,
  since: minorOrNull(since),
  minor: Number(minor),
  instead: orNull(instead),
  kinds: kinds.split(','),
}))

function orNull(text: string): string | null {
  return text === '' || text === '-' ? null : text
}

function minorOrNull(text: string | undefined): number | null {
  return text === undefined || text === '-' ? null : Number(text)
}

/** `v1.21.5+k3s2` → 21; null when it is no version of Kubernetes 1. */
export function minorOf(version: string): number | null {
  const match = /^v?1\.(\d+)\./.exec(version)
  return match === null ? null : Number(match[1])
}

/** Breaks up to the newest minor, those of older ones among them. `words` are those of the service. */
export function breaksOf(words: NonNullable<ServiceFacts['arguments']>): Break[] {
  const found = new Map<string, Break>()
  for (const argument of readArguments(words, false)) {
    if (argument.kind !== 'flag') continue
    for (const one of breaksOfFlag(argument.flag, String(argument.value)))
      if (!found.has(one.what)) found.set(one.what, one)
  }
  return [...found.values()]
}

/** Of one flag, however it was given. */
export function breaksOfFlag({ name, removed }: K3sFlag, value: string): Break[] {
  const component = components[name]
  const minor = removed === null ? null : minorOf(removed)
  const end = endedFlags.get(name) ?? (minor === null ? undefined : plainEnd(minor))
  const ofValue = endedFlags.get(`${name}=${value}`)
  const all: Break[] = [
    ...(end === undefined ? [] : [{ what: `--${name}`, kind: 'flag' as const, ...end }]),
    ...(ofValue === undefined ? [] : [{ what: `--${name}=${value}`, kind: 'flag' as const, ...ofValue }]),
    ...(component === undefined ? [] : argumentBreaks(name, component, value)),
  ]
  return all.filter(({ from }) => from <= newestMinor)
}

/** Of a variable that k3s reads in place of a flag: `K3S_CLUSTER_SECRET`. */
export function breaksOfVariable(name: string): Break[] {
  const flag = flagOfVariable(name)
  if (flag === undefined) return []
  const end = breaksOfFlag(flag, '').find(({ what }) => what === `--${flag.name}`)
  return end === undefined ? [] : [{ ...end, what: name }]
}

function plainEnd(minor: number): Omit<Break, 'what' | 'kind'> {
  return { from: minor, to: minor, doubtful: false, instead: null }
}

/** What breaks of `--kubelet-arg=network-plugin=cni`; none for flags that hand nothing on. */
export function breaksOfArgument(k3sFlag: string, text: string): Break[] {
  const component = components[k3sFlag]
  return component === undefined ? [] : argumentBreaks(k3sFlag, component, text)
}

/** `network-plugin=cni`, also with dashes in front. */
function argumentBreaks(k3sFlag: string, component: string, text: string): Break[] {
  const equals = text.indexOf('=')
  const name = text.slice(0, equals === -1 ? undefined : equals).replace(/^-+/, '')
  const value = equals === -1 ? '' : text.slice(equals + 1)
  if (name === 'feature-gates') return value.split(',').flatMap((gate) => gateBreaks(gate.trim()))
  const gone = removedFlags.get(`${component} ${name}`) ?? removedFlags.get(`all ${name}`)
  if (gone !== undefined) return [{ what: `${k3sFlag} ${name}`, kind: 'flag', ...gone }]
  const given = value.split(',')
  return removedValues
    .filter((one) => one.component === component && one.flag === name && given.includes(one.value))
    .map(({ value: old, minor, instead }) => ({
      ...plainEnd(minor),
      what: `${k3sFlag} ${name}=${old}`,
      kind: 'flag',
      instead,
    }))
}

function gateBreaks(text: string): Break[] {
  const [name = '', value = ''] = text.split('=')
  const gate = removedGates.get(name)
  if (gate === undefined) return []
  const given = value.toLowerCase()
  const wrong = gate.value === '-' ? given !== 'true' : gate.value !== given
  const from = wrong ? (gate.locked ?? gate.removed) : gate.removed
  if (from === null) return []
  // The table has no value for some: nearly always it is true, so false breaks somewhere on the way to the end.
  const to = wrong && gate.value === '-' ? (gate.removed ?? from) : from
  return [{ what: `feature gate ${name}=${value}`, kind: 'gate', from, to, doubtful: false, instead: null }]
}

/** The end of one kind in one version; null when none is known up to the newest minor. */
export function apiEnd(apiVersion: string, kind: string): ApiEnd | null {
  return (
    removedApis.find(
      ({ version, kinds, minor }) => version === apiVersion && minor <= newestMinor && kinds.includes(kind),
    ) ?? null
  )
}

/** Versions of a group that have a kind or had it, without the group; those that others ended for come first. */
export function versionsOf(group: string, kind: string): string[] {
  const rows = removedApis.filter(({ kinds, minor }) => kinds.includes(kind) && minor <= newestMinor)
  const named = [...rows.flatMap(({ instead }) => instead ?? []), ...rows.map(({ version }) => version)]
  const own = named.filter((version) => version.startsWith(`${group}/`))
  return [...new Set(own)].map((version) => version.slice(group.length + 1))
}

export interface ApiEnd {
  /** `policy/v1beta1` */
  readonly version: string
  readonly minor: number
  readonly instead: string | null
  readonly kinds: readonly string[]
}

/** API versions that are served now and end at a later minor, up to the newest. */
export function endingApis(served: Readonly<Record<string, readonly string[]>>, now: number): ApiEnd[] {
  return removedApis.filter(({ version, since, minor }) => {
    // Groups whose beta ended long ago carry betas of younger kinds again.
    if (since !== null && since > now) return false
    const [group = '', name = ''] = version.split('/')
    return minor > now && minor <= newestMinor && served[group]?.includes(name) === true
  })
}
