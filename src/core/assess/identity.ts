import type { Finding } from '../findings.ts'
import type { KubeNode, NodeFacts } from '../inventory.ts'
import { aboutNode, type AssessContext, type Check, type Machine } from './context.ts'
import { found } from './found.ts'

/** Whether what answers under a name over SSH is what has this name in the cluster. */
export const identityChecks: readonly Check[] = [
  { rules: ['INV-IDENTITY'], needs: ['cluster', 'machines'], run: identities },
  { rules: ['INV-CLAIMED-TWICE'], needs: ['machines'], run: claimedTwice },
]

interface Sign {
  readonly what: string
  readonly machine: string
  readonly cluster: string
}

function identities({ machines, cluster }: AssessContext): Finding[] {
  return machines.flatMap((machine) => {
    const { facts, node } = machine
    if (facts === null || node === null) return []
    const [sign] = differences(facts, node)
    if (sign === undefined) return []
    const really = (cluster?.nodes ?? []).find((other) => other !== node && agrees(facts, other, sign.what))
    return [
      found(
        'INV-IDENTITY',
        { node: machine.name, ...sign, really: really?.name ?? null },
        { subject: aboutNode(machine), discriminator: sign.what.toLowerCase().replace(' ', '-') },
      ),
    ]
  })
}

/**
 * Strongest first; the first difference is reported. The machine ID changes at each k3OS boot, as the boot ID does: it tells
 * nothing more. An address differs only when the machine has none of the Node's.
 */
function signs(facts: NodeFacts, node: KubeNode): Sign[] {
  const own = facts.interfaces.flatMap(({ addresses }) =>
    addresses.map((cidr) => cidr.split('/', 1)[0] ?? ''),
  )
  const known = node.addresses.filter(({ type }) => type === 'InternalIP').map(({ address }) => address)
  const shared = known.find((address) => own.includes(address))
  return [
    {
      what: 'system UUID',
      machine: facts.systemUuid?.toLowerCase() ?? '',
      cluster: node.systemUuid.toLowerCase(),
    },
    { what: 'boot ID', machine: facts.bootId ?? '', cluster: node.bootId },
    { what: 'address', machine: shared ?? own.join(', '), cluster: shared ?? known.join(', ') },
  ].filter(({ machine, cluster }) => machine !== '' && cluster !== '')
}

function differences(facts: NodeFacts, node: KubeNode): Sign[] {
  return signs(facts, node).filter(({ machine, cluster }) => machine !== cluster)
}

function agrees(facts: NodeFacts, node: KubeNode, what: string): boolean {
  return signs(facts, node).some((sign) => sign.what === what && sign.machine === sign.cluster)
}

/** Entries of the inventory that run one boot are one machine; others may only call themselves the same. */
function claimedTwice({ machines, cluster }: AssessContext): Finding[] {
  const read = machines.filter((machine): machine is Read => machine.facts !== null && machine.entry !== null)
  const byBoot = Map.groupBy(
    read.filter(({ facts }) => facts.bootId !== null),
    ({ facts }) => facts.bootId,
  )
  const twice = [...byBoot.values()].filter((same) => same.length > 1)
  const once = read.filter((machine) => twice.every((same) => !same.includes(machine)))
  // k3s registers the lower-cased host name (k3s-io/k3s pkg/agent/config/config.go).
  const byName = Map.groupBy(
    once.filter(({ runsK3os }) => runsK3os),
    ({ facts, node }) => node?.name ?? facts.hostname?.toLowerCase() ?? '',
  )
  const claims = [...byName].filter(
    ([name, rivals]) =>
      rivals.length > 1 && (cluster === null || cluster.nodes.some((node) => node.name === name)),
  )
  const finding = (node: string, rivals: readonly Read[], same: boolean): Finding =>
    found(
      'INV-CLAIMED-TWICE',
      { node, machines: rivals.map(({ entry }) => entry.name), same },
      { subject: { kind: 'Node', name: node } },
    )
  return [
    ...twice.map((rivals) =>
      finding(rivals.find(({ node }) => node !== null)?.name ?? rivals[0]?.name ?? '', rivals, true),
    ),
    ...claims.map(([name, rivals]) => finding(name, rivals, false)),
  ]
}

type Read = Machine & {
  readonly facts: NonNullable<Machine['facts']>
  readonly entry: NonNullable<Machine['entry']>
}
