import type { AssessedNode, Assessment, RuleOutcome } from '../assessment.ts'
import { isInhibitor, sortFindings, type Finding, type RuleId, type Severity } from '../findings.ts'
import type { ClusterFacts, Inventory } from '../inventory.ts'
import type { Waiver } from '../plan.ts'
import { assessRules } from '../rules/assess.ts'
import {
  joinMachines,
  type Machine,
  type AssessContext,
  type AssessedTarget,
  type Check,
  type ConfigVerdict,
  type SettledByPlan,
} from './context.ts'
import { apiVersionChecks } from './api-versions.ts'
import { baselineChecks } from './baseline.ts'
import { budgetChecks } from './budgets.ts'
import { certificateChecks } from './certificates.ts'
import { competingChecks } from './competing.ts'
import { dataFates } from './data-fates.ts'
import { dataOf } from './data-map.ts'
import { datastoreChecks } from './datastore.ts'
import { estimate } from './estimate.ts'
import { fitChecks, fitRows } from './fit.ts'
import { ladderChecks } from './ladder.ts'
import { leavingOf } from './leaving.ts'
import { localVolumeChecks } from './local-volumes.ts'
import { machineChecks } from './machine-state.ts'
import { readingChecks } from './readings.ts'
import { roomChecks } from './room.ts'
import { upgradePlanChecks } from './upgrade-plans.ts'
import { applyWaivers } from './waivers.ts'
import { webhookChecks } from './webhooks.ts'
import { evictedFrom, evictedPods, toMove, workloadChecks } from './workloads.ts'

export interface AssessInput {
  readonly inventory: Inventory
  /** SHA-256 of the inventory file, hex. */
  readonly inventorySha256: string
  /** By name of the node in the inventory. */
  readonly configs: ReadonlyMap<string, ConfigVerdict>
  readonly targets: readonly AssessedTarget[]
  readonly waivers?: readonly Waiver[]
  /** SHA-256 of the waivers file, hex; null or not given without one. */
  readonly waiversSha256?: string | null
  /** Given by `plan`; what it settles does not stop it. */
  readonly settled?: SettledByPlan
  readonly metadata: Assessment['metadata']
  /** ISO date for waivers; the day of `metadata.createdAt` when not given. */
  readonly today?: string
}

const checks: readonly Check[] = [
  ...readingChecks,
  ...machineChecks,
  ...datastoreChecks,
  ...workloadChecks,
  ...localVolumeChecks,
  ...budgetChecks,
  ...roomChecks,
  ...baselineChecks,
  ...competingChecks,
  ...webhookChecks,
  ...certificateChecks,
  ...upgradePlanChecks,
  ...ladderChecks,
  ...apiVersionChecks,
  ...fitChecks,
]

/** Everything that speaks against moving these nodes, and which target each fits. Same input, same document. */
export function assess(input: AssessInput): Assessment {
  const { inventory, metadata, targets } = input
  const cluster = inventory.cluster?.status === 'read' ? inventory.cluster.facts : null
  const machines = joinMachines(inventory)
  const daemonSets = new Set(cluster?.daemonSets.map(({ namespace, name }) => `${namespace}/${name}`))
  const evicted = new Map(machines.map((machine) => [machine.name, evictedFrom(machine, daemonSets)]))
  const context: AssessContext = {
    inventory,
    cluster,
    machines,
    evicted,
    leaving: cluster === null ? new Map() : leavingEach(cluster, machines, evicted),
    configs: input.configs,
    targets,
    settled: input.settled ?? { deleteEmptyDir: false, abandonPods: [], keptData: new Map() },
    fit: fitRows({ machines, targets }),
  }
  const looked = checks.map((check) => {
    const obstacle = obstacleOf(check, context)
    return { check, obstacle, findings: obstacle?.result === 'skip' ? [] : check.run(context) }
  })
  const nodes = toMove(context)
    .filter(({ entry }) => entry !== null)
    .map((machine) => nodeOf(machine, context))
  const today = input.today ?? metadata.createdAt.slice(0, 10)
  const findings = sortFindings(
    applyWaivers(
      looked.flatMap((one) => one.findings),
      input.waivers ?? [],
      today,
    ),
  )
  return {
    apiVersion: 'k3os-migrate/v1',
    kind: 'Assessment',
    metadata,
    inventory: { sha256: input.inventorySha256 },
    waivers: input.waiversSha256 ? { sha256: input.waiversSha256 } : null,
    summary: {
      nodes: inventory.nodes.length,
      nodesRead: inventory.nodes.filter(({ status }) => status === 'read').length,
      ...count(findings),
    },
    findings,
    checks: looked.flatMap(({ check, obstacle }) =>
      check.rules.map((rule) => outcomeOf(rule, findings, obstacle)),
    ),
    targets: targets.map(({ id, title, requires }) => ({ id, title, requires })),
    fit: context.fit,
    dataMap: dataFates(
      nodes.flatMap(({ data }) => data),
      targets,
    ),
    nodes,
  }
}

function leavingEach(
  cluster: ClusterFacts,
  machines: readonly Machine[],
  evicted: AssessContext['evicted'],
): AssessContext['leaving'] {
  const leave = leavingOf(cluster)
  const moved = machines.filter(({ runsK3os, node }) => runsK3os && node !== null)
  return new Map(moved.map(({ name }) => [name, leave(name, evicted.get(name) ?? [])]))
}

function nodeOf(machine: Machine, context: AssessContext): AssessedNode {
  const { name, facts, pods } = machine
  const evicted = evictedPods(machine, context)
  const data = dataOf(machine, context)
  const role = facts?.k3s.role ?? 'unknown'
  return {
    name,
    read: facts !== null,
    role,
    evictions: evicted.length,
    estimate: estimate({
      name,
      role: role === 'agent' ? role : 'server',
      evicted,
      pods,
      budgets: context.cluster?.pdbs ?? [],
      data,
    }),
    data,
  }
}

interface Obstacle {
  /** `skip`: nothing to look at. `error`: only a part could be looked at, so "nothing found" proves nothing. */
  readonly result: 'skip' | 'error'
  readonly reason: string
  readonly blind: RuleOutcome['blind']
}

function obstacleOf({ needs, lacks }: Check, context: AssessContext): Obstacle | null {
  const { inventory, cluster } = context
  if (needs.includes('cluster')) {
    if (cluster === null) return { result: 'skip', reason: 'the cluster was not read', blind: 'everywhere' }
    const [failure] = cluster.failures
    if (failure !== undefined)
      return { result: 'error', reason: `${failure.what} could not be read`, blind: 'everywhere' }
  }
  if (needs.includes('machines')) {
    const unread = inventory.nodes.filter(({ status }) => status === 'error').map(({ name }) => name)
    if (unread.length > 0) return { result: 'error', reason: `not read: ${unread.join(', ')}`, blind: unread }
  }
  const lacking = lacks?.(context) ?? null
  return lacking === null ? null : { result: 'skip', reason: lacking, blind: 'everywhere' }
}

function outcomeOf(rule: RuleId, findings: readonly Finding[], obstacle: Obstacle | null): RuleOutcome {
  const own = findings.filter((f) => f.rule === rule)
  const title = Object.entries(assessRules).find(([id]) => id === rule)?.[1].title ?? ''
  const ran = {
    rule,
    title,
    findings: own.length,
    reason: obstacle?.reason ?? null,
    blind: obstacle?.blind ?? [],
  }
  if (own.some(({ result }) => result === 'fail')) return { ...ran, result: 'fail' }
  if (own.length > 0) return { ...ran, result: 'error' }
  return { ...ran, result: obstacle?.result ?? 'pass' }
}

function count(findings: readonly Finding[]): Omit<Assessment['summary'], 'nodes' | 'nodesRead'> {
  const open = findings.filter((f) => f.waiver === null)
  const of = (severity: Severity): number =>
    open.filter((f) => !isInhibitor(f) && f.result === 'fail' && f.severity === severity).length
  return {
    inhibitors: open.filter(isInhibitor).length,
    high: of('high'),
    medium: of('medium'),
    low: of('low'),
    info: of('info'),
    waived: findings.length - open.length,
  }
}
