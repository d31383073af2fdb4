import type { Pod, PodDisruptionBudget } from '../inventory.ts'
import { MigrateError } from '../errors.ts'
import { budgetVerdicts } from '../pdb.ts'
import type { DataItem } from './data-map.ts'

/** What one node takes, as a sum anybody can redo. Not a promise: machines and images differ more than the arithmetic. */
export interface Estimate {
  readonly seconds: number
  readonly parts: readonly { readonly what: string; readonly seconds: number; readonly because: string }[]
}

/** The numbers behind every estimate, to be stated beside it. */
export const estimateBasis = {
  secondsPerEviction: 5,
  longestGraceSeconds: 600,
  bytesPerSecond: 100 * 1024 * 1024,
  reimageSeconds: 600,
  rejoinSeconds: 120,
  soakSeconds: { server: 900, agent: 300 },
} as const

export interface EstimateInput {
  readonly name: string
  readonly role: 'server' | 'agent'
  readonly evicted: readonly Pod[]
  readonly pods: readonly Pod[]
  readonly budgets: readonly PodDisruptionBudget[]
  readonly data: readonly DataItem[]
}

export function estimate(input: EstimateInput): Estimate {
  const parts = [...drainParts(input), ...dataParts(input), ...fixedParts(input)]
  return { seconds: parts.reduce((sum, { seconds }) => sum + seconds, 0), parts }
}

function drainParts({ name, evicted, pods, budgets }: EstimateInput): Estimate['parts'] {
  if (evicted.length === 0) return []
  const { secondsPerEviction, longestGraceSeconds } = estimateBasis
  const longest = Math.max(...evicted.map(({ graceSeconds }) => graceSeconds))
  const grace = Math.min(longest, longestGraceSeconds)
  const rounds = roundsOf(name, pods, budgets)
  const count = `${evicted.length} ${evicted.length === 1 ? 'pod' : 'pods'} × ${secondsPerEviction} s`
  const waits = `${rounds} × ${grace} s, the longest time a pod may take to end`
  return [
    {
      what: 'drain',
      seconds: evicted.length * secondsPerEviction + rounds * grace,
      because: `${count} + ${waits}`,
    },
  ]
}

/** How often the strictest budget makes the drain wait for replacements; one that never passes is a finding instead. */
function roundsOf(name: string, pods: readonly Pod[], budgets: readonly PodDisruptionBudget[]): number {
  if (budgets.length === 0) return 1
  try {
    return Math.max(1, ...budgetVerdicts(name, pods, budgets).map(({ rounds }) => rounds))
  } catch (error) {
    // The unreadable selector is a finding already.
    if (!(error instanceof MigrateError)) throw error
    return 1
  }
}

function dataParts({ data }: EstimateInput): Estimate['parts'] {
  const kept = data.filter(({ kind, place }) => kind !== 'emptyDir' && place !== 'network')
  if (kept.length === 0) return []
  const bytes = kept.reduce((sum, item) => sum + (item.bytes ?? 0), 0)
  const unknown = kept.filter((item) => item.bytes === null).length
  const seconds = Math.ceil((2 * bytes) / estimateBasis.bytesPerSecond)
  const mib = Math.ceil(bytes / 1024 / 1024)
  const more = unknown === 0 ? '' : ` (${unknown} of ${kept.length} sizes are not known and count as 0)`
  return [
    {
      what: 'compare data',
      seconds,
      because: `${mib} MiB read before and after at ${estimateBasis.bytesPerSecond / 1024 / 1024} MiB/s${more}`,
    },
  ]
}

function fixedParts({ role }: EstimateInput): Estimate['parts'] {
  const soak = estimateBasis.soakSeconds[role]
  return [
    {
      what: 'change the system',
      seconds: estimateBasis.reimageSeconds,
      because: 'two boots and one image, the same for every machine',
    },
    { what: 'rejoin', seconds: estimateBasis.rejoinSeconds, because: 'k3s starts and the Node is Ready' },
    {
      what: 'watch',
      seconds: soak,
      because: `${soak / 60} min for ${role === 'server' ? 'a server' : 'an agent'}`,
    },
  ]
}
