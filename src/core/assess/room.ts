import type { CapacityVerdict } from '../capacity.ts'
import type { Finding } from '../findings.ts'
import type { Pod } from '../inventory.ts'
import { amountText } from '../scheduler/obstacles.ts'
import { aboutNode, type AssessContext, type Check, type Machine } from './context.ts'
import { found } from './found.ts'
import type { WaitingPod } from './leaving.ts'
import { toMove } from './workloads.ts'

/** Whether what is drained from a node has a place on the others. */
export const roomChecks: readonly Check[] = [
  { rules: ['PRE-CAPACITY', 'PRE-HEADROOM'], needs: ['cluster'], run: room },
]

const leastFreeShare = 0.1

function room(context: AssessContext): Finding[] {
  return toMove(context).flatMap((machine) => {
    const leaving = context.leaving.get(machine.name)
    if (leaving === undefined) return []
    const { back, unplaced: waiting, undecided: unclear, headroom } = leaving
    const undecided = unclear.map(({ pod, reason }) =>
      capacityFinding(machine, [pod], { why: 'not decided', obstacles: [], fitsAlone: false, reason }),
    )
    const groups = Map.groupBy(waiting, ({ pod }) => `${pod.namespace} ${ownerOf(pod)}`)
    const unplaced = [...groups.values()].flatMap((group) => {
      const [first] = group
      if (first === undefined) return []
      const pods = group.map(({ pod }) => pod)
      const facts = {
        why: first.why,
        obstacles: first.obstacles,
        fitsAlone: group.every(({ fitsAlone }) => fitsAlone),
        reason: null,
      }
      return [capacityFinding(machine, pods, facts)]
    })
    return [...undecided, ...unplaced, ...(back.length === 0 ? [] : tight(machine, headroom))]
  })
}

function ownerOf({ controller }: Pod): string {
  return controller === null ? 'no controller' : `${controller.kind}/${controller.name}`
}

interface Verdict {
  readonly why: WaitingPod['why'] | 'not decided'
  readonly obstacles: readonly string[]
  readonly fitsAlone: boolean
  readonly reason: string | null
}

const severityOf = {
  'no room': 'inhibitor',
  'not decided': 'inhibitor',
  // PRE-LOCALPV asks what becomes of the data; here it is about the time without it.
  volume: 'medium',
  // Nothing can be done about it on this machine, and nobody is surprised by it.
  'only node': 'high',
} as const

function capacityFinding(machine: Machine, pods: readonly Pod[], verdict: Verdict): Finding {
  const [first] = pods
  const namespace = first?.namespace ?? ''
  const owner = first === undefined ? '' : ownerOf(first)
  return found(
    'PRE-CAPACITY',
    { node: machine.name, namespace, owner, pods: pods.map(({ name }) => name).toSorted(), ...verdict },
    {
      subject: aboutNode(machine),
      discriminator: `${namespace}/${owner}${verdict.why === 'not decided' ? `/${first?.name ?? ''}` : ''}`,
      severity: severityOf[verdict.why],
      result: verdict.why === 'not decided' ? 'error' : 'fail',
    },
  )
}

function tight(machine: Machine, headroom: CapacityVerdict['headroom']): Finding[] {
  return headroom
    .filter(({ free, total }) => total > 0 && free / total < leastFreeShare)
    .map(({ resource, free, total }) =>
      found(
        'PRE-HEADROOM',
        {
          node: machine.name,
          resource,
          free: amountText(resource, Math.max(0, free)),
          total: amountText(resource, total),
          percent: Math.max(0, Math.floor((free / total) * 100)),
        },
        { subject: aboutNode(machine), discriminator: resource },
      ),
    )
}
