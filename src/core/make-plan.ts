import type { Assessment } from './assessment.ts'
import { joinMachines, type Machine, type SettledByPlan } from './assess/context.ts'
import { canonicalJson } from './canonical.ts'
import { classifyPods } from './drain.ts'
import { exitCode, MigrateError } from './errors.ts'
import { compareText, isInhibitor, type Finding } from './findings.ts'
import type { ClusterFacts, Inventory, InventoryNode, NodeFacts } from './inventory.ts'
import { stepDefaults, stepIds, type Plan, type PlanNode, type Waiver } from './plan.ts'

export interface PlanChoices {
  readonly target: string
  readonly argv: readonly string[]
  readonly keepsData: boolean
  readonly deleteEmptyDir: boolean
  readonly abandonPods: readonly string[]
  readonly waivers: readonly Waiver[]
  /** Names to move; null = every node that runs k3OS. */
  readonly only: readonly string[] | null
  readonly exclude: readonly string[]
  readonly user: string
  readonly maxAgeHours: number
}

export interface PlanInput {
  readonly inventory: Inventory
  readonly inventoryFile: string
  readonly inventorySha256: string
  /** Made with `settledBy(inventory, choices)` and the same waivers. */
  readonly assessment: Assessment
  readonly choices: PlanChoices
  /** SHA-256 over the translated files of each node. */
  readonly translations: ReadonlyMap<string, string>
  readonly metadata: Plan['metadata']
  sha256(text: string): string
}

interface Candidate {
  readonly machine: Machine
  readonly entry: Extract<InventoryNode, { status: 'read' }>
  readonly facts: NodeFacts
  readonly role: 'server' | 'agent'
  readonly keptData: readonly string[]
  readonly evictions: number
}

/** What choices settle before they are planned: `assess` says it, and does not count it as an inhibitor. */
export function settledBy(inventory: Inventory, choices: PlanChoices): SettledByPlan {
  const cluster = clusterOf(inventory)
  const keptData = new Map<string, readonly string[]>()
  if (choices.keepsData) {
    for (const machine of joinMachines(inventory)) keptData.set(machine.name, dataOn(machine, cluster))
  }
  return { deleteEmptyDir: choices.deleteEmptyDir, abandonPods: [...choices.abandonPods], keptData }
}

/**
 * Inventory and choices to a plan: which nodes, in which order, with which steps. Refuses (exit 3) when something speaks
 * against it that no waiver covers. Same input, same order, same digest.
 */
export function makePlan(input: PlanInput): Plan {
  const { inventory, choices } = input
  const cluster = clusterOf(inventory)
  const chosen = candidates(inventory, cluster, choices)
  refuseInhibitors(input.assessment, chosen)
  const nodes = inOrder(chosen).map((candidate, place) => planNode(candidate, place, chosen, input, cluster))
  const plan: Omit<Plan, 'digest'> = {
    apiVersion: 'k3os-migrate/v1',
    kind: 'Plan',
    metadata: input.metadata,
    cluster: { server: cluster.server, uid: cluster.uid, version: cluster.version },
    inventory: { file: input.inventoryFile, sha256: input.inventorySha256 },
    target: choices.target,
    method: {
      kind: 'command',
      argv: [...choices.argv],
      keepsData: choices.keepsData,
      hasPointOfNoReturn: true,
    },
    policy: {
      deleteEmptyDir: choices.deleteEmptyDir,
      abandonPods: [...choices.abandonPods],
      maxAgeHours: choices.maxAgeHours,
    },
    waivers: [...choices.waivers],
    nodes,
  }
  return { ...plan, digest: planDigest(plan, (text) => input.sha256(text)) }
}

/** `sha256:<hex>` over the canonical plan without its digest. */
export function planDigest(
  plan: Omit<Plan, 'digest'> & { readonly digest?: string },
  sha256: (text: string) => string,
): string {
  const { digest: _, ...body } = plan
  return `sha256:${sha256(canonicalJson(body))}`
}

function clusterOf(inventory: Inventory): ClusterFacts {
  if (inventory.cluster?.status === 'read') return inventory.cluster.facts
  const why = inventory.cluster === null ? 'was made without a cluster' : 'could not read the cluster'
  throw new MigrateError(`a plan needs the cluster, and this inventory ${why}`, {
    exitCode: exitCode.inhibitors,
    hint: 'k3os-migrate inventory --kubeconfig FILE',
  })
}

function candidates(inventory: Inventory, cluster: ClusterFacts, choices: PlanChoices): Candidate[] {
  const machines = joinMachines(inventory)
  const known = new Set(machines.map(({ name }) => name))
  for (const name of [...(choices.only ?? []), ...choices.exclude]) {
    if (known.has(name)) continue
    throw new MigrateError(`the inventory has no node ${name}`, {
      exitCode: exitCode.usage,
      hint: `it has ${[...known].toSorted().join(', ')}`,
    })
  }
  const wanted = machines.filter(
    ({ name, runsK3os }) =>
      !choices.exclude.includes(name) && (choices.only === null ? runsK3os : choices.only.includes(name)),
  )
  if (wanted.length > 0) return wanted.map((machine) => candidate(machine, cluster, choices))
  throw new MigrateError('there is nothing to plan: no node of the inventory runs k3OS', {
    exitCode: exitCode.usage,
    hint: 'k3os-migrate inventory shows what every node runs',
  })
}

function candidate(machine: Machine, cluster: ClusterFacts, choices: PlanChoices): Candidate {
  const { entry, facts, node, name } = machine
  const cannot = (why: string, hint: string): MigrateError =>
    new MigrateError(`${name} cannot be planned: ${why}`, { exitCode: exitCode.inhibitors, hint })
  if (entry?.status !== 'read' || facts === null) {
    throw cannot(
      'nobody could read the machine',
      `k3os-migrate inventory, or leave it out: --exclude ${name}`,
    )
  }
  if (node === null) throw cannot('the cluster has no such Node', `leave it out: --exclude ${name}`)
  const { role } = facts.k3s
  if (role !== 'server' && role !== 'agent') {
    throw cannot('whether it is a server or an agent is not known', 'look at /etc/init.d/k3s-service on it')
  }
  if (role === 'server' && !choices.keepsData && facts.k3s.datastore !== 'external') {
    throw cannot(
      `its disk holds the datastore (${facts.k3s.datastore}), and the hook is not said to keep it`,
      `a hook that leaves /var/lib/rancher alone: --keeps-data; or leave it out: --exclude ${name}`,
    )
  }
  const { evict } = classifyPods(machine.pods, {
    daemonSetExists: (namespace, daemonSet) =>
      cluster.daemonSets.some((one) => one.namespace === namespace && one.name === daemonSet),
    deleteEmptyDir: true,
    force: true,
  })
  const keptData = choices.keepsData ? dataOn(machine, cluster) : []
  return { machine, entry, facts, role, keptData, evictions: evict.length }
}

/** Directories whose content must be the same afterwards; the server's CA stands for its whole state. */
function dataOn({ name, facts }: Machine, cluster: ClusterFacts): string[] {
  const volumes = cluster.persistentVolumes
    .filter(({ nodes, path }) => nodes.includes(name) && path !== null)
    .map(({ path }) => path ?? '')
  const server = facts?.k3s.role === 'server' ? ['/var/lib/rancher/k3s/server/tls'] : []
  return [...volumes, ...server].toSorted(compareText)
}

function refuseInhibitors(assessment: Assessment, chosen: readonly Candidate[]): void {
  const names = new Set(chosen.map(({ machine }) => machine.name))
  const others = new Set(assessment.fit.map(({ node }) => node).filter((node) => !names.has(node)))
  const stopping = assessment.findings.filter((f) => isInhibitor(f) && !onlyAbout(f, others))
  const [first] = stopping
  if (first === undefined) return
  const more = stopping.length === 1 ? '' : ` (and ${stopping.length - 1} more)`
  throw new MigrateError(`no plan: ${first.summary}${more}`, {
    exitCode: exitCode.inhibitors,
    hint: 'k3os-migrate assess lists what to do about each; what you accept goes into --waivers FILE by its key',
  })
}

/** A finding about a node that stays as it is does not stop the others. */
function onlyAbout(f: Finding, nodes: ReadonlySet<string>): boolean {
  return f.subject.kind === 'Node' && f.subject.name !== null && nodes.has(f.subject.name)
}

/** Canary agents first, agents with data after the others, servers last (rolling-migration 2.2). Ties by name. */
function inOrder(chosen: readonly Candidate[]): Candidate[] {
  const localBytes = ({ facts }: Candidate) =>
    facts.localVolumes.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0)
  return chosen.toSorted(
    (a, b) =>
      Number(a.role === 'server') - Number(b.role === 'server') ||
      Number(a.keptData.length > 0) - Number(b.keptData.length > 0) ||
      a.evictions - b.evictions ||
      localBytes(a) - localBytes(b) ||
      compareText(a.machine.name, b.machine.name),
  )
}

function planNode(
  { machine, entry, role, keptData, evictions }: Candidate,
  place: number,
  chosen: readonly Candidate[],
  input: PlanInput,
  cluster: ClusterFacts,
): PlanNode {
  const node = cluster.nodes.find(({ name }) => name === machine.name)
  const translationSha256 = input.translations.get(entry.name)
  if (node === undefined || translationSha256 === undefined)
    throw new Error(`${machine.name} was not translated`)
  return {
    name: machine.name,
    role,
    address: parseAddress(entry.address ?? machine.address, input.choices.user),
    why: whyHere(role, keptData.length > 0, evictions, place, chosen),
    fingerprint: {
      nodeUid: node.uid,
      systemUuid: node.systemUuid,
      bundleSha256: entry.bundle.sha256,
      translationSha256,
    },
    bundleFile: entry.bundle.file,
    keptData: [...keptData],
    evictions,
    steps: stepIds.map((id) => ({ id, ...stepDefaults[id] })),
  }
}

function whyHere(
  role: 'server' | 'agent',
  hasData: boolean,
  evictions: number,
  place: number,
  chosen: readonly Candidate[],
): string {
  const pods = `${evictions} ${evictions === 1 ? 'pod' : 'pods'} to move`
  if (role === 'server') {
    const servers = chosen.filter((one) => one.role === 'server').length
    return servers === 1
      ? 'the only server: last, the API is away meanwhile'
      : `a server: after the agents, ${pods}`
  }
  const data = hasData ? ', keeps data on its disk' : ''
  return place === 0 ? `canary: an agent with the least to lose, ${pods}${data}` : `agent, ${pods}${data}`
}

/** `[user@]host[:port]`, an IPv6 address in brackets when a port follows. */
function parseAddress(text: string, user: string): PlanNode['address'] {
  const [, named, bracketed, host, port] =
    /^(?:([^@]+)@)?(?:\[([^\]]+)\]|([^:]+|[0-9a-fA-F:]+))(?::(\d+))?$/.exec(text) ?? []
  const name = bracketed ?? host
  if (name === undefined) throw new Error(`not an address: ${text}`)
  return { host: name, port: port === undefined ? 22 : Number(port), user: named ?? user }
}
