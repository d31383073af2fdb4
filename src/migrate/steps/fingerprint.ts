import { z } from 'zod'
import { exitCode, MigrateError } from '../../core/errors.ts'
import type { Step, StepContext } from '../step.ts'
import { persist } from '../wait.ts'
import { stepTimeout } from './rebuilt.ts'

const intentSchema = z.object({ digests: z.record(z.string(), z.string()) })

/**
 * Digests of the data that must be the same afterwards, taken after the drain when nobody writes. Kubernetes would not
 * notice an empty volume: a local-path PV is `DirectoryOrCreate` (rancher/local-path-provisioner provisioner.go).
 */
export const fingerprint: Step = {
  id: 'fingerprint',
  async intent(context) {
    const { node, host, signal } = context
    if (node.keptData.length === 0) return { digests: {} }
    const digests = await host.fingerprint({ name: node.name, ...node.address }, node.keptData, signal)
    const missing = node.keptData.filter((path) => digests[path] === undefined || digests[path] === 'absent')
    if (missing.length > 0) {
      throw new MigrateError(`${node.name}: data of the plan is not there: ${missing.join(', ')}`, {
        exitCode: exitCode.stalePlan,
        hint: 'take a new inventory and make a new plan',
      })
    }
    return { digests }
  },
  actions: async () => [],
}

/** The same digests on the new system, before k3s may start. */
export const compare: Step = {
  id: 'compare',
  async intent(context) {
    return { digests: intentSchema.parse(context.earlier('fingerprint')).digests }
  },
  async actions(context, intent) {
    const { digests } = intentSchema.parse(intent)
    const paths = Object.keys(digests)
    if (paths.length === 0) return []
    return [
      {
        describe: `compare ${paths.join(', ')} on ${context.node.name} with the fingerprints taken before`,
        async run() {
          const changed = await persist(
            context,
            `the data of ${context.node.name} is read`,
            stepTimeout(context, 'compare'),
            async () => changedData(context, digests),
          )
          if (changed.length === 0) return
          throw new MigrateError(
            `${context.node.name}: data is not what it was before the move: ${changed.join(', ')}; k3s stays stopped`,
            {
              exitCode: exitCode.postCheckFailed,
              hint: `put the data back, then: k3os-migrate resume ${context.runId}`,
            },
          )
        },
      },
    ]
  },
}

async function changedData(
  context: StepContext,
  digests: Readonly<Record<string, string>>,
): Promise<string[]> {
  const paths = Object.keys(digests)
  if (paths.length === 0) return []
  const address = { name: context.node.name, ...context.node.address }
  const now = await context.host.fingerprint(address, paths, context.signal)
  return paths.filter((path) => now[path] !== digests[path])
}
