import type { Finding } from '../findings.ts'
import { breaksOf, endingApis, minorOf, newestMinor, type Break } from '../k3s/ladder.ts'
import { aboutNode, type AssessContext, type Check, type Machine } from './context.ts'
import { found } from './found.ts'

/** What stands in the way of newer k3s later on: a move keeps the version, so nothing of this stops one. */
export const ladderChecks: readonly Check[] = [
  { rules: ['PRE-LADDER-FLAG', 'PRE-LADDER-GATE'], needs: ['machines'], run: commandLines },
  { rules: ['PRE-LADDER-API'], needs: ['cluster'], run: apis },
]

interface Use {
  readonly own: Break
  readonly nodes: string[]
  /** It breaks at the version that a node runs now. */
  now: boolean
}

function commandLines({ machines }: AssessContext): Finding[] {
  const uses = new Map<string, Use>()
  const unread: Machine[] = []
  for (const machine of machines) {
    const { facts, node, runsK3os } = machine
    if (facts === null || !runsK3os || facts.k3s.role === 'none') continue
    if (facts.service.arguments === null) {
      unread.push(machine)
      continue
    }
    const minor = minorOf(facts.k3s.version ?? node?.kubeletVersion ?? '')
    for (const own of breaksOf(facts.service.arguments)) {
      const use = uses.get(own.what) ?? { own, nodes: [], now: false }
      uses.set(own.what, use)
      use.nodes.push(machine.name)
      use.now ||= minor !== null && own.from <= minor
    }
  }
  const subject = { kind: 'Cluster' }
  return [
    ...[...uses.values()].map(({ own, nodes, now }) =>
      found(
        own.kind === 'gate' ? 'PRE-LADDER-GATE' : 'PRE-LADDER-FLAG',
        { ...own, nodes, now, newest: newestMinor },
        { subject, discriminator: own.what, severity: now ? 'medium' : 'info' },
      ),
    ),
    ...unread.flatMap((machine) =>
      (['PRE-LADDER-FLAG', 'PRE-LADDER-GATE'] as const).map((id) =>
        found(
          id,
          { ...nothingKnown, nodes: [machine.name], now: false, newest: newestMinor },
          { subject: aboutNode(machine), severity: 'info', result: 'skip' },
        ),
      ),
    ),
  ]
}

const nothingKnown = { what: null, from: 0, to: 0, doubtful: false, instead: null }

function apis({ cluster }: AssessContext): Finding[] {
  const now = minorOf(cluster?.version ?? '')
  if (cluster === null || now === null) return []
  return endingApis(cluster.apiGroups, now).map((end) =>
    found('PRE-LADDER-API', end, {
      subject: { kind: 'Cluster' },
      discriminator: `${end.version}/${end.kinds.join('+')}`,
    }),
  )
}
