import { exitCode } from '../../core/errors.ts'
import type { WorkloadState } from '../ports.ts'
import type { Step, StepContext } from '../step.ts'
import { waitUntil } from '../wait.ts'
import { baseline } from './baseline.ts'
import { series } from './join.ts'
import { restarting, restartsSchema, restartsSoFar, unboundClaim } from './post-checks.ts'
import { stepTimeout } from './rebuilt.ts'

/**
 * After the node takes pods again, several times in a row: every workload has as many ready pods as before the move, the claims
 * of the node's pods are bound, and none of its containers keeps being restarted. What was broken before is not blamed on the
 * move; what has been scaled down or removed meanwhile is not waited for.
 */
export const workloads: Step = {
  id: 'workloads',
  async intent(context) {
    return {
      workloads: Object.keys(baseline(context).workloads).length,
      claims: baseline(context).claims,
      restarts: await restartsSoFar(context),
    }
  },
  async actions(context, intent) {
    const { workloads: all, claims } = baseline(context)
    const count = Object.keys(all).length
    if (count + claims.length === 0) return []
    const restarts = restartsSchema.parse(intent['restarts'] ?? {})
    const bound =
      claims.length === 0 ? '' : ` and ${list(claims)} ${claims.length === 1 ? 'is' : 'are'} still bound`
    return [
      {
        describe: `wait until ${count === 1 ? 'the workload has' : `all ${count} workloads have`} as many ready pods as before${bound}`,
        async run() {
          await waitUntil(context, {
            until: 'all workloads are as they were',
            timeoutMs: stepTimeout(context, 'workloads'),
            ...series,
            exit: exitCode.postCheckFailed,
            hint: `kubectl get deployments,statefulsets,daemonsets,persistentvolumeclaims -A; then: k3os-migrate resume ${context.runId}`,
            check: async () =>
              (await missingWorkloads(context)) ??
              (await unboundClaim(context)) ??
              (await restarting(context, restarts)),
          })
        },
      },
    ]
  },
}

/** Ready pods of each controller that has any, by `Kind namespace/name`. */
export async function readyWorkloads({ reader, signal }: StepContext): Promise<Record<string, number>> {
  const states = await reader.workloads(signal)
  return Object.fromEntries(
    states.filter(({ ready }) => ready > 0).map((state) => [nameOf(state), state.ready]),
  )
}

/** What has fewer ready pods than when the move of this node began; undefined when nothing has. */
export async function missingWorkloads(context: StepContext): Promise<string | undefined> {
  const before = baseline(context).workloads
  const short = (await context.reader.workloads(context.signal)).flatMap((state) => {
    const wanted = Math.min(before[nameOf(state)] ?? 0, state.desired)
    return state.ready < wanted ? [`${nameOf(state)} has ${state.ready} of ${wanted} ready pods`] : []
  })
  const [first] = short
  if (first === undefined) return undefined
  return short.length === 1 ? first : `${first} (and ${short.length - 1} more)`
}

function list(names: readonly string[]): string {
  return names.length <= 3 ? names.join(', ') : `${names.slice(0, 2).join(', ')} and ${names.length - 2} more`
}

function nameOf({ kind, namespace, name }: WorkloadState): string {
  return `${kind} ${namespace}/${name}`
}
