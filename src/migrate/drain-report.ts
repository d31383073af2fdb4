import { type BudgetNumbers, type Classified, goesLast } from '../core/drain.ts'
import { kubectlRefusals, type KubectlRefusal } from '../core/drain-kubectl.ts'
import type { Pod } from '../core/inventory.ts'
import { blockedBy, type PodRef, podName, seconds } from './drain-events.ts'
import { isStuck, type LeavingPod, podRef } from './drain-pods.ts'

/**
 * `refused`: may not be evicted. `budget`: a disruption budget holds it. `impossible`: no retry can help. `failing`: the
 * request does not get through. `waiting`: not asked for yet. `ending`: evicted, still running. `stuck`: ending for
 * longer than it may. `appeared`: was not there when the drain began.
 */
type BlockedState =
  | 'refused'
  | 'budget'
  | 'impossible'
  | 'failing'
  | 'waiting'
  | 'ending'
  | 'stuck'
  | 'appeared'

/** Why one pod is still on the node. */
export interface BlockedPod extends PodRef {
  readonly state: BlockedState
  /** `namespace/name`. */
  readonly budget: string | null
  readonly numbers: BudgetNumbers | null
  readonly attempts: number
  /** How long this drain has been waiting for it. */
  readonly ageMs: number
  /** One line with the pod's name and the reason. */
  readonly message: string
  /** The next command to type. */
  readonly next: string
}

export function describeLeaving(entry: LeavingPod, nowMs: number): BlockedPod {
  const { pod, attempts, hindrance } = entry
  const ageMs = nowMs - entry.sinceMs
  const report = (state: BlockedState, why: string, next = describeCommand(pod)): BlockedPod => ({
    ...blockedPod(pod, state, why, next),
    attempts,
    ageMs,
  })
  if (entry.endingSinceMs !== null) {
    const endingFor = seconds(nowMs - entry.endingSinceMs)
    if (!isStuck(entry, nowMs)) return report('ending', `has been ending for ${endingFor}`)
    const why = `has been ending for ${endingFor}, its own limit is ${pod.graceSeconds} s: look at its finalizers and at the node`
    return report('stuck', why, yamlCommand(pod))
  }
  switch (hindrance?.kind) {
    case 'budget': {
      const { budget, numbers } = hindrance
      // Numbers say it all; without them the server has something else to tell.
      const said = numbers === null ? `: ${hindrance.message}` : ''
      const [namespace, name] = (budget ?? '').split('/')
      const next = budget === null ? describeCommand(pod) : `kubectl get pdb -n ${namespace} ${name}`
      return { ...report('budget', `is held by ${blockedBy(budget, numbers)}${said}`, next), budget, numbers }
    }
    case 'impossible':
      return report(
        'impossible',
        `can never be evicted: ${hindrance.message}`,
        `kubectl get pdb -n ${pod.namespace}`,
      )
    case 'failing':
      return report(
        'failing',
        `was not evicted: ${hindrance.error.message}`,
        hindrance.error.hint ?? describeCommand(pod),
      )
    case undefined:
      return report('waiting', goesLast(pod) ? 'goes last, after all others' : 'has not been evicted yet')
  }
}

export function describeAppeared(pod: Pod, sinceMs: number, nowMs: number): BlockedPod {
  const why = 'came to the node after the drain began'
  return { ...blockedPod(pod, 'appeared', why, describeCommand(pod)), ageMs: nowMs - sinceMs }
}

export function describeRefused({ pod, reason }: Classified<KubectlRefusal>): BlockedPod {
  return blockedPod(pod, 'refused', kubectlRefusals[reason], yamlCommand(pod))
}

function blockedPod(pod: Pod, state: BlockedState, why: string, next: string): BlockedPod {
  const message = `${podName(pod)} ${why}`
  return { ...podRef(pod), state, budget: null, numbers: null, attempts: 0, ageMs: 0, message, next }
}

function describeCommand(pod: Pod): string {
  return `kubectl describe pod -n ${pod.namespace} ${pod.name}`
}

function yamlCommand(pod: Pod): string {
  return `kubectl get pod -n ${pod.namespace} ${pod.name} -o yaml`
}

/** What the drain waits for, on one line: the first pod and its reason, and how many more; at the end, volumes. */
export function waitingFor(pods: readonly BlockedPod[], volumes: readonly string[] = []): string {
  const [first, ...rest] = pods
  if (first === undefined)
    return volumes.length === 0
      ? 'a second look that shows the node empty'
      : `volumes to be detached: ${volumes.join(', ')}`
  return rest.length === 0 ? first.message : `${first.message}, and ${rest.length} more`
}
