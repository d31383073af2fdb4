import { compareText, severities, sortFindings, type Finding, type Severity } from './findings.ts'
import type { K3osConfig } from './k3os/config.ts'
import { entriesOf, entryOf, type ConfigPath } from './path.ts'
import { sourceLeaves, type TraceEntry, type Translation } from './translation.ts'

/**
 * What becomes of one value of the source on a target. `carried`: it arrives. `changed`: it arrives, and somebody should know
 * what is different. `manual`: it does not arrive, and the finding says what to do instead. `lost`: nor does anything take its
 * place. `not needed`: the target does without it (findings of severity `info`).
 */
export const fates = ['carried', 'changed', 'manual', 'lost', 'not needed'] as const
export type Fate = (typeof fates)[number]

export interface ValueFate {
  readonly path: ConfigPath
  readonly fate: Fate
  readonly to: readonly TraceEntry['to'][]
  /** Why it is not simply carried; worst first. */
  readonly because: readonly Finding[]
}

/** Every value of the source in the order of the configuration, a file or a network as one. Law L1 makes it complete. */
export function valueFates(
  config: K3osConfig,
  { trace, findings }: Pick<Translation, 'trace' | 'findings'>,
): ValueFate[] {
  const arrived = grouped(trace, ({ from }) => entryOf(from))
  const said = grouped(
    findings.filter(({ rule, result }) => rule.startsWith('TRN-') && result === 'fail'),
    ({ location }) => (location?.path == null ? null : entryOf(location.path)),
  )
  return entriesOf(sourceLeaves(config)).map((path) => {
    const to = (arrived.get(path) ?? []).map((entry) => entry.to)
    const because = sortFindings(said.get(path) ?? [])
    return { path, fate: fateOf(to.length > 0, because), to: distinct(to), because }
  })
}

function fateOf(arrives: boolean, because: readonly Finding[]): Fate {
  const serious = because.filter(({ severity }) => severity !== 'info')
  if (arrives) return serious.length > 0 ? 'changed' : 'carried'
  if (serious.length === 0) return 'not needed'
  return serious.some(({ remediations }) => remediations.length > 0) ? 'manual' : 'lost'
}

function grouped<T>(items: readonly T[], key: (item: T) => string | null): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const name = key(item)
    if (name === null) continue
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [item])
    else group.push(item)
  }
  return groups
}

function distinct(places: readonly TraceEntry['to'][]): TraceEntry['to'][] {
  return [...new Map(places.map((place) => [`${place.file}\n${place.path ?? ''}`, place])).values()]
}

export function countFates(values: readonly ValueFate[]): Record<Fate, number> {
  const counts: Record<Fate, number> = { carried: 0, changed: 0, manual: 0, lost: 0, 'not needed': 0 }
  for (const { fate } of values) counts[fate] += 1
  return counts
}

/** What somebody will miss or must do, about values and about the system as a whole. */
export interface Loss {
  readonly targets: string[]
  readonly nodes: string[]
  readonly rule: string
  readonly severity: Severity
  readonly summary: string
}

/** Collects them node by node, so that a fleet need not be in memory at once. What several have in common is one. */
export class Losses {
  readonly #found = new Map<
    string,
    Omit<Loss, 'targets' | 'nodes'> & { targets: Set<string>; nodes: Set<string> }
  >()

  add(node: string, target: string, findings: readonly Finding[]): void {
    for (const { rule, severity, result, summary } of findings) {
      if (!rule.startsWith('TRN-') || result !== 'fail' || severity === 'info') continue
      const key = `${rule}\n${summary}`
      const known = this.#found.get(key) ?? { rule, severity, summary, targets: new Set(), nodes: new Set() }
      known.targets.add(target)
      known.nodes.add(node)
      this.#found.set(key, known)
    }
  }

  /** Worst first. */
  list(): Loss[] {
    return [...this.#found.values()]
      .toSorted(
        (a, b) =>
          severities.indexOf(a.severity) - severities.indexOf(b.severity) ||
          b.nodes.size - a.nodes.size ||
          compareText(a.rule, b.rule) ||
          compareText(a.summary, b.summary),
      )
      .map((one) => ({ ...one, targets: [...one.targets], nodes: [...one.nodes] }))
  }
}
