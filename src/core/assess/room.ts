import type { CapacityVerdict, Unplaced } from '../capacity.ts'
import type { Finding } from '../findings.ts'
import type { Pod } from '../inventory.ts'
import { amountText } from '../scheduler/obstacles.ts'
import { aboutNode, type AssessContext, type Check, type Machine } from './context.ts'
import { found } from './found.ts'
import { toMove } from './workloads.ts'

/** Whether what is drained from a node has a place on the others. */
export const roomChecks: readonly Check[] = [
  { rules: ['PRE-CAPACITY', 'PRE-HEADROOM'], needs: ['cluster'], run: room },
]

const leastFreeShare = 0.1
/** A diagnosis that names a thousand nodes one by one is read by nobody. */
const mostNodesNamed = 12

function room(context: AssessContext): Finding[] {
  return toMove(context).flatMap((machine) => {
    const leaving = context.leaving.get(machine.name)
    if (leaving === undefined) return []
    const { back, verdict } = leaving
    const undecided = verdict.undecided.map(({ pod, reason }) =>
      capacityFinding(machine, [pod], { why: 'not decided', obstacles: [], fitsAlone: false, reason }),
    )
    const groups = Map.groupBy(verdict.unplaced, ({ pod }) => `${pod.namespace} ${ownerOf(pod)}`)
    const unplaced = [...groups.values()].flatMap((group) => {
      const [first] = group
      if (first === undefined) return []
      const pods = group.map(({ pod }) => pod)
      const facts = {
        why: whyOf(first, machine),
        obstacles: obstacleTexts(first),
        fitsAlone: group.every(({ fitsAlone }) => fitsAlone),
        reason: null,
      }
      return [capacityFinding(machine, pods, facts)]
    })
    return [...undecided, ...unplaced, ...(back.length === 0 ? [] : tight(machine, verdict.headroom))]
  })
}

function ownerOf({ controller }: Pod): string {
  return controller === null ? 'no controller' : `${controller.kind}/${controller.name}`
}

function whyOf({ obstacles }: Unplaced, { name }: Machine): 'no room' | 'volume' | 'only node' {
  if (obstacles.length === 0) return 'only node'
  const boundHere = (text: string): boolean => text.endsWith(` is bound to ${name}`)
  return obstacles.every(({ kind, text }) => kind === 'volume' && boundHere(text)) ? 'volume' : 'no room'
}

export function obstacleTexts({ obstacles }: Unplaced): string[] {
  if (obstacles.length <= mostNodesNamed) return obstacles.map(({ node, text }) => `${node}: ${text}`)
  return [...Map.groupBy(obstacles, ({ kind }) => kind).values()].flatMap((group) => {
    const [first] = group
    if (first === undefined) return []
    return [
      group.length === 1
        ? `${first.node}: ${first.text}`
        : `${group.length} nodes as ${first.node}: ${first.text}`,
    ]
  })
}

interface Verdict {
  readonly why: 'no room' | 'volume' | 'only node' | 'not decided'
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
