import type { Finding } from '../findings.ts'
import type { Datastore, KubeNode } from '../inventory.ts'
import { aboutNode, type AssessContext, type Check, type Machine } from './context.ts'
import { found } from './found.ts'

/** Who is server, and where the truth of the cluster lies. */
export const datastoreChecks: readonly Check[] = [
  { rules: ['PRE-ROLE-UNKNOWN', 'PRE-DATASTORE-UNKNOWN'], needs: ['machines'], run: unknowns },
  { rules: ['PRE-DQLITE', 'PRE-EXTERNAL-DATASTORE'], needs: ['machines'], run: kinds },
  { rules: ['PRE-SINGLE-SERVER', 'PRE-DATASTORE-SPLIT'], needs: ['machines'], run: sqliteServers },
  { rules: ['PRE-ETCD-QUORUM', 'PRE-ETCD'], needs: ['machines'], run: etcdServers },
]

function unknowns({ machines }: AssessContext): Finding[] {
  return movable(machines).flatMap((machine) => {
    const occurrence = { subject: aboutNode(machine), result: 'error' as const }
    const { k3s } = machine.facts
    if (k3s.role === 'unknown') return [found('PRE-ROLE-UNKNOWN', { node: machine.name }, occurrence)]
    if (k3s.role !== 'server' || (k3s.datastore !== 'unknown' && k3s.datastore !== 'none')) return []
    const why = k3s.datastore === 'none' ? 'it has none on its disk and no endpoint' : 'it could not be read'
    return [found('PRE-DATASTORE-UNKNOWN', { node: machine.name, why }, occurrence)]
  })
}

function kinds({ machines }: AssessContext): Finding[] {
  return [
    ...serversOn(machines, 'dqlite').map((machine) =>
      found('PRE-DQLITE', { node: machine.name }, { subject: aboutNode(machine) }),
    ),
    ...serversOn(machines, 'external').map((machine) =>
      found('PRE-EXTERNAL-DATASTORE', { node: machine.name }, { subject: aboutNode(machine) }),
    ),
  ]
}

function sqliteServers({ machines }: AssessContext): Finding[] {
  const servers = serversOn(machines, 'sqlite')
  const [only] = servers
  if (only === undefined) return []
  if (servers.length > 1)
    return [
      found(
        'PRE-DATASTORE-SPLIT',
        { nodes: servers.map(({ name }) => name) },
        { subject: { kind: 'Cluster' } },
      ),
    ]
  const facts = { node: only.name, address: only.address, datastore: 'sqlite' }
  return [found('PRE-SINGLE-SERVER', facts, { subject: aboutNode(only) })]
}

function etcdServers({ machines }: AssessContext): Finding[] {
  const read = serversOn(machines, 'etcd')
  // Members that could not be read over SSH, or have moved already, still count for the quorum.
  const members = machines.filter(
    (machine) => read.some(({ name }) => name === machine.name) || isEtcdNode(machine.node),
  )
  const [only] = members
  if (only === undefined) return []
  if (members.length === 1) {
    const facts = { node: only.name, address: only.address, datastore: 'one etcd member' }
    return [found('PRE-SINGLE-SERVER', facts, { subject: aboutNode(only) })]
  }
  const occurrence = { subject: { kind: 'Cluster' } }
  return members.length === 2
    ? [found('PRE-ETCD-QUORUM', { members: 2, nodes: members.map(({ name }) => name) }, occurrence)]
    : [found('PRE-ETCD', { members: members.length }, occurrence)]
}

function isEtcdNode(node: KubeNode | null): boolean {
  return node?.labels['node-role.kubernetes.io/etcd'] === 'true'
}

type ReadMachine = Machine & { readonly facts: NonNullable<Machine['facts']> }

function movable(machines: readonly Machine[]): ReadMachine[] {
  return machines.filter((machine): machine is ReadMachine => machine.facts !== null && machine.runsK3os)
}

function serversOn(machines: readonly Machine[], datastore: Datastore): ReadMachine[] {
  return movable(machines).filter(
    ({ facts }) => facts.k3s.role === 'server' && facts.k3s.datastore === datastore,
  )
}
