import { exitCode } from '../../core/errors.ts'
import type { WorkloadState } from '../ports.ts'
import type { Step, StepContext } from '../step.ts'
import { waitUntil } from '../wait.ts'
import { baseline } from './baseline.ts'
import { series } from './join.ts'
import { stepTimeout } from './rebuilt.ts'

/**
 * After the node takes pods again, every workload has as many ready pods as before the move, several times in a row. What was
 * broken before is not blamed on the move; what has been scaled down or removed meanwhile is not waited for.
 */
export const workloads: Step = {
  id: 'workloads',
  async intent(context) {
    return { workloads: Object.keys(baseline(context).workloads).length }
  },
  async actions(context) {
    const count = Object.keys(baseline(context).workloads).length
    if (count === 0) return []
    return [
      {
        describe: `wait until ${count === 1 ? 'the workload has' : `all ${count} workloads have`} as many ready pods as before`,
        async run() {
          await waitUntil(context, {
            until: 'all workloads are as they were',
            timeoutMs: stepTimeout(context, 'workloads'),
            ...series,
            exit: exitCode.postCheckFailed,
            hint: `kubectl get deployments,statefulsets,daemonsets -A; then: k3os-migrate resume ${context.runId}`,
            check: async () => missingWorkloads(context),
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

function nameOf({ kind, namespace, name }: WorkloadState): string {
  return `${kind} ${namespace}/${name}`
}
