import { canonicalJson } from './canonical.ts'
import { pauseText } from './competing.ts'
import { formatDuration } from './duration.ts'
import { byWhom } from './methods.ts'
import type { Plan, PlanNode } from './plan.ts'
import { windowText } from './windows.ts'

/** One thing that differs between two plans; `node` is null for what holds for all of them. */
export interface PlanChange {
  readonly node: string | null
  readonly what: string
  /** null: it is not there. */
  readonly before: string | null
  readonly after: string | null
}

/** What the second plan would do differently from the first, general things first, then in the order of the second. */
export function diffPlans(before: Plan, after: Plan): PlanChange[] {
  const general = compare(null, generalRows(before), generalRows(after))
  const names = [...new Set([...after.nodes, ...before.nodes].map(({ name }) => name))]
  const nodes = names.flatMap((name): PlanChange[] => {
    const [a, b] = [before, after].map(({ nodes: all }) => all.find((node) => node.name === name))
    if (a === undefined) return [{ node: name, what: 'node', before: null, after: 'in the plan' }]
    if (b === undefined) return [{ node: name, what: 'node', before: 'in the plan', after: null }]
    return compare(name, nodeRows(a, before), nodeRows(b, after))
  })
  return [...general, ...nodes]
}

type Rows = ReadonlyMap<string, string>

function compare(node: string | null, before: Rows, after: Rows): PlanChange[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((what) => {
    const [a = null, b = null] = [before.get(what), after.get(what)]
    return a === b ? [] : [{ node, what, before: a, after: b }]
  })
}

function generalRows({
  cluster,
  target,
  method,
  policy,
  pauses,
  waivers,
  gates,
  inventory,
  metadata,
}: Plan): Rows {
  return new Map([
    ['made', metadata.createdAt],
    ['tool', metadata.toolVersion],
    ['cluster', `${cluster.server} ${cluster.version} (${cluster.uid})`],
    ['inventory', inventory.sha256],
    ['target', target],
    ['rebuilt', byWhom(method)],
    ['keeps the data', yesNo(method.keepsData)],
    ['emptyDir volumes may be deleted', yesNo(policy.deleteEmptyDir)],
    ['pods given up', policy.abandonPods.join(', ')],
    ['drain', policy.drainMode],
    ['a drain that fails', policy.onDrainFailure],
    ['may be applied for', `${policy.maxAgeHours}h`],
    ['windows', policy.windows.map(windowText).join('; ')],
    ['controllers paused', pauses.map(pauseText).join(', ')],
    ...waivers.map((waiver): [string, string] => [`waiver ${waiver.key}`, canonicalJson(waiver)]),
    ...Object.entries(gates),
  ])
}

function nodeRows(node: PlanNode, plan: Plan): Rows {
  const { fingerprint, address } = node
  return new Map([
    ['place', `${plan.nodes.indexOf(node) + 1} of ${plan.nodes.length}`],
    ['why here', node.why],
    ['role', node.role],
    ['address', `${address.user}@${address.host}:${address.port}`],
    ['pods to move', String(node.evictions)],
    ['Node object', fingerprint.nodeUid],
    ['machine', fingerprint.systemUuid],
    ['disk', fingerprint.diskSerial ?? 'not known'],
    ['bundle', fingerprint.bundleSha256],
    ['translation', fingerprint.translationSha256],
    ...rows('configuration', fingerprint.config),
    ...rows('Node:', fingerprint.baseline),
    ...rows('volume', fingerprint.volumes),
    ...node.keptData.map((path): [string, string] => [`data that stays: ${path}`, 'kept']),
    ...node.steps.map(({ id, timeoutMs }): [string, string] => [`step ${id}`, formatDuration(timeoutMs)]),
    ['watched', formatDuration(node.soakMs)],
  ])
}

function rows(kind: string, digests: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(digests).map(([name, digest]) => [`${kind} ${name}`, digest])
}

function yesNo(value: boolean): string {
  return value ? 'yes' : 'no'
}
