import { softTaint } from '../../core/plan-fingerprint.ts'
import type { Intent, Step } from '../step.ts'
import { readNode } from './check.ts'
import { boundClaims } from './post-checks.ts'
import { ownAnnotations } from './restore.ts'
import { readyWorkloads } from './workloads.ts'

/**
 * The state to compare with and to restore: labels and taints set with kubectl exist nowhere else. The k3OS
 * configuration only gives those of the first registration (rancher/k3os README.md `k3os.labels`).
 */
export const capture: Step = {
  id: 'capture',
  async intent(context): Promise<Intent> {
    const now = await readNode(context)
    return {
      labels: now.labels,
      annotations: ownAnnotations(now),
      // Put there by this run while the node waited for its turn: it goes when the rest comes back.
      taints: now.taints.filter(({ key }) => key !== softTaint),
      unschedulable: now.unschedulable,
      bootId: now.bootId,
      systemUuid: now.systemUuid,
      machineId: now.machineId,
      osImage: now.osImage,
      kubeletVersion: now.kubeletVersion,
      podCidr: now.podCidr,
      workloads: await readyWorkloads(context),
      claims: await boundClaims(context),
      internalIps: now.addresses.filter(({ type }) => type === 'InternalIP').map(({ address }) => address),
    }
  },
  actions: async () => [],
}
