import type { Finding } from '../findings.ts'
import { aboutNode, isK3osImage, type AssessContext, type Check } from './context.ts'
import { found } from './found.ts'
import { identityChecks } from './identity.ts'

/** What could not be read, and what does not belong together. */
export const readingChecks: readonly Check[] = [
  { rules: ['INV-NODE-UNREAD', 'INV-READING-FAILED'], needs: [], run: unreadMachines },
  { rules: ['INV-CLUSTER-UNREAD', 'INV-CLUSTER-PARTIAL'], needs: [], run: unreadCluster },
  {
    rules: ['INV-CONFIG-UNREAD', 'INV-CONFIG-REJECTED', 'INV-CONFIG-DISAGREES'],
    needs: [],
    run: configurations,
  },
  { rules: ['INV-NO-MACHINE', 'INV-NO-NODE'], needs: ['cluster'], run: unmatched },
  { rules: ['INV-NOT-K3OS'], needs: ['machines'], run: otherSystems },
  ...identityChecks,
  { rules: ['INV-UUID-SHARED'], needs: ['machines'], run: sharedUuids },
]

function unreadMachines({ machines }: AssessContext): Finding[] {
  return machines.flatMap((machine) => {
    const { name: node, address, entry } = machine
    if (entry === null) return []
    const occurrence = { subject: aboutNode(machine) }
    if (entry.status === 'error')
      return [
        found('INV-NODE-UNREAD', { node, address, reason: entry.reason }, { ...occurrence, result: 'error' }),
      ]
    const { failures } = entry.facts
    return failures.length === 0 ? [] : [found('INV-READING-FAILED', { node, failures }, occurrence)]
  })
}

function unreadCluster({ inventory: { cluster } }: AssessContext): Finding[] {
  const subject = { kind: 'Cluster' }
  if (cluster?.status !== 'read')
    return [found('INV-CLUSTER-UNREAD', { reason: cluster?.reason ?? null }, { subject, result: 'error' })]
  return cluster.facts.failures.map((failure) =>
    found('INV-CLUSTER-PARTIAL', failure, { subject, discriminator: failure.what, result: 'error' }),
  )
}

/** Findings of the configuration engine, and what it could not say. */
function configurations({ machines, configs }: AssessContext): Finding[] {
  return machines.flatMap((machine) => {
    const { entry, name: node, runsK3os } = machine
    if (entry?.status !== 'read' || !runsK3os) return []
    const occurrence = { subject: aboutNode(machine) }
    const verdict = configs.get(entry.name)
    if (verdict === undefined || verdict.status === 'unread') {
      const reason = verdict?.reason ?? 'its bundle was not read'
      return [found('INV-CONFIG-UNREAD', { node, reason }, { ...occurrence, result: 'error' })]
    }
    const rejected =
      verdict.status === 'rejected'
        ? [found('INV-CONFIG-REJECTED', { node, reason: verdict.reason ?? 'no reason given' }, occurrence)]
        : []
    const own = entry.facts.ownConfiguration
    const disagrees =
      own === 'unknown' || own === verdict.status
        ? []
        : [found('INV-CONFIG-DISAGREES', { node, own, ours: verdict.status }, occurrence)]
    return [...rejected, ...disagrees, ...verdict.findings.map((f) => ofNode(f, node))]
  })
}

/** The engine knows files, not nodes: two nodes with the same mistake need two keys, or one waiver covers both. */
function ofNode(f: Finding, node: string): Finding {
  const { kind, namespace, name: file } = f.subject
  if (file === node) return { ...f, nodes: [node] }
  const who = [kind, namespace, file].filter((part) => part !== null).join('/')
  const rest = f.key.slice(`${f.rule}:${who}`.length)
  // The file is in the location already.
  const named = file === null || file === f.location?.file ? node : `${node}:${file}`
  return {
    ...f,
    key: `${f.rule}:${kind}/${node}${file === null ? '' : `:${file}`}${rest}`,
    subject: { ...f.subject, name: named },
    nodes: [node],
  }
}

function unmatched({ machines, cluster }: AssessContext): Finding[] {
  return machines.flatMap((machine) => {
    const { entry, node, facts, name, runsK3os } = machine
    const occurrence = { subject: aboutNode(machine) }
    if (entry === null && node !== null && isK3osImage(node.osImage))
      return [found('INV-NO-MACHINE', { node: name, osImage: node.osImage }, occurrence)]
    if (entry !== null && node === null && runsK3os && cluster !== null)
      return [found('INV-NO-NODE', { node: name, hostname: facts?.hostname ?? null }, occurrence)]
    return []
  })
}

function otherSystems({ machines }: AssessContext): Finding[] {
  return machines
    .filter(({ runsK3os }) => !runsK3os)
    .map((machine) =>
      found(
        'INV-NOT-K3OS',
        {
          node: machine.name,
          os: machine.facts?.os.prettyName ?? machine.node?.osImage ?? 'another system',
        },
        { subject: aboutNode(machine) },
      ),
    )
}

function sharedUuids({ machines }: AssessContext): Finding[] {
  const byUuid = new Map<string, string[]>()
  for (const { facts, name } of machines) {
    const uuid = facts?.systemUuid?.toLowerCase() ?? ''
    if (uuid !== '') byUuid.set(uuid, [...(byUuid.get(uuid) ?? []), name])
  }
  return [...byUuid]
    .filter(([, nodes]) => nodes.length > 1)
    .map(([uuid, nodes]) =>
      found('INV-UUID-SHARED', { uuid, nodes }, { subject: { kind: 'Cluster' }, discriminator: uuid }),
    )
}
