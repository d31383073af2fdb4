import { z } from 'zod'
import { isK3osPlan } from './k3os-upgrades.ts'
import { canonicalJson } from './canonical.ts'
import { exitCode, MigrateError } from './errors.ts'
import { compareText } from './findings.ts'
import type { KubeNode, UpgradePlan } from './inventory.ts'
import type { Sha256 } from './journal.ts'
import type { Plan } from './plan.ts'
import { matchesSelector } from './selector.ts'

/**
 * What k3OS and our own run leave in a cluster when the last node has moved (rolling-migration 2.3), as data: found, listed,
 * approved, removed.
 */

const textMap = z.record(z.string(), z.string())

/** Labels, annotations and taints of a Node, with the values they are removed with. */
const nodeKeysSchema = z.strictObject({
  kind: z.literal('node-keys'),
  node: z.string(),
  uid: z.string(),
  labels: textMap,
  annotations: textMap,
  taints: z.array(z.strictObject({ key: z.string(), value: z.string(), effect: z.string() })),
  why: z.string(),
})

/** A whole object of the API. */
const objectSchema = z.strictObject({
  kind: z.literal('object'),
  resource: z.enum(['plans', 'secrets', 'leases']),
  namespace: z.string(),
  name: z.string(),
  uid: z.string(),
  /** SHA-256 of what it says; null when only its name was looked at. */
  sha256: z.string().nullable(),
  why: z.string(),
})

/** k3OS on the disk of a node that was moved in place: the way back, and the room it takes. */
const diskSchema = z.strictObject({
  kind: z.literal('disk'),
  node: z.string(),
  address: z.strictObject({ host: z.string(), port: z.number(), user: z.string() }),
  /** The new system's folder, `/os/TREE`. */
  tree: z.string(),
  mib: z.number(),
  why: z.string(),
})

export const leftoverSchema = z.discriminatedUnion('kind', [nodeKeysSchema, objectSchema, diskSchema])
export type Leftover = z.infer<typeof leftoverSchema>
export type LeftoverObject = z.infer<typeof objectSchema>
export type LeftoverDisk = z.infer<typeof diskSchema>
export type LeftoverNodeKeys = z.infer<typeof nodeKeysSchema>

/** The document `FinalizePlan`. */
export const finalizePlanSchema = z.strictObject({
  apiVersion: z.literal('k3os-migrate/v1'),
  kind: z.literal('FinalizePlan'),
  metadata: z.strictObject({ createdAt: z.string(), toolVersion: z.string() }),
  /** The run that is complete. */
  runId: z.string(),
  planDigest: z.string(),
  cluster: z.strictObject({ server: z.string(), uid: z.string() }),
  /** Removed in this order. */
  items: z.array(leftoverSchema),
  /** What looks like a leftover and stays. */
  kept: z.array(z.strictObject({ what: z.string(), why: z.string() })),
  /** `sha256:<hex>` of the canonical document without this field. */
  digest: z.string(),
})
export type FinalizePlan = z.infer<typeof finalizePlanSchema>

export function finalizeDigest(
  plan: Omit<FinalizePlan, 'digest'> & { readonly digest?: string },
  sha256: Sha256,
): string {
  const { digest: _, ...body } = plan
  return `sha256:${sha256(canonicalJson(body))}`
}

/** `Plan k3os-system/k3os-latest`, `labels k3os.io/mode, k3os.io/version of node shop-1`: also what tells items apart. */
export function leftoverText(item: Leftover): string {
  if (item.kind === 'disk') return `k3OS (${item.mib} MiB) on the disk of ${item.node}`
  if (item.kind === 'object') return `${objectKinds[item.resource]} ${item.namespace}/${item.name}`
  const parts = [
    named('label', Object.keys(item.labels)),
    named('annotation', Object.keys(item.annotations)),
    named(
      'taint',
      item.taints.map(({ key }) => key),
    ),
  ]
  return `${parts.filter((part) => part !== '').join(' and ')} of node ${item.node}`
}

const objectKinds: Readonly<Record<LeftoverObject['resource'], string>> = {
  plans: 'Plan',
  secrets: 'Secret',
  leases: 'Lease',
}

function named(word: string, keys: readonly string[]): string {
  return keys.length === 0
    ? ''
    : `${word}${keys.length === 1 ? '' : 's'} ${keys.toSorted(compareText).join(', ')}`
}

export interface FoundPlan {
  readonly uid: string
  /** Of its spec. */
  readonly sha256: string
  readonly plan: UpgradePlan
}

/** What there is in the cluster now. */
export interface LeftoverFacts {
  readonly nodes: readonly KubeNode[]
  readonly upgradePlans: readonly FoundPlan[]
  /** Of nodes that were moved in place and still have k3OS on their disks. */
  readonly disks: readonly Omit<LeftoverDisk, 'kind' | 'why'>[]
  /** `NODE.node-password.k3s` of nodes that the run knew and the cluster has no more. */
  readonly passwordSecrets: readonly { readonly node: string; readonly name: string; readonly uid: string }[]
  /** The Lease of runs, which holds the record of the last one too; null when there is none. */
  readonly lease: { readonly name: string; readonly uid: string } | null
}

const ownPrefix = 'k3os-migrate/'

// rancher/k3os overlay/share/rancher/k3s/server/manifests: the controller and its Plan, copied at every boot.
const upgradeNamespace = 'k3os-system'
const keptOfUpgrader: FinalizePlan['kept'] = [
  {
    what: `namespace ${upgradeNamespace}`,
    why: `its upgrade controller may serve other Plans; when none is left: kubectl delete namespace ${upgradeNamespace}`,
  },
  {
    what: 'its manifests on servers',
    why: 'system-upgrade-* below /var/lib/rancher/k3s/server/manifests; k3s applies one again when it changes',
  },
]

/** Which of it goes, in which order, and what stays. Nothing is a leftover on a node that still runs k3OS. */
export function findLeftovers(
  run: { readonly plan: Plan; readonly runId: string },
  facts: LeftoverFacts,
): Pick<FinalizePlan, 'items' | 'kept'> {
  const { nodes, upgradePlans } = facts
  const stillK3os = nodes.filter(({ osImage }) => osImage.startsWith('k3OS')).map(({ name }) => name)
  const planned = new Set(run.plan.nodes.map(({ name }) => name))
  const moved = nodes.filter(({ name }) => planned.has(name) && !stillK3os.includes(name))
  const ofK3os = upgradePlans.filter(({ plan }) => isK3osPlan(plan))
  const goes = stillK3os.length === 0 ? ofK3os : []
  const planLabels = new Set(ofK3os.map(({ plan }) => `plan.upgrade.cattle.io/${plan.name}`))
  const k3osLabels = moved.flatMap((node) =>
    nodeKeys(node, 'k3OS and its upgrader put them there', {
      labels: (key) => key.startsWith('k3os.io/') || planLabels.has(key),
    }),
  )
  for (const { plan } of upgradePlans.filter((found) => ofK3os.includes(found) && !goes.includes(found)))
    refuseSelected(plan, moved, k3osLabels)
  return {
    items: [
      // First, as it is what cannot be undone: whoever stops then has lost no label that leads back.
      ...facts.disks.map((disk) => ({ kind: 'disk' as const, ...disk, why: disksWhy })),
      ...goes.map(({ plan, uid, sha256 }) =>
        object(
          'plans',
          plan.namespace,
          plan.name,
          uid,
          sha256,
          'it would put k3OS on a node that matches it',
        ),
      ),
      ...k3osLabels,
      ...facts.passwordSecrets.map(({ node, name, uid }) =>
        object('secrets', 'kube-system', name, uid, null, `${node} is no node of the cluster any more`),
      ),
      ...moved.flatMap((node) =>
        nodeKeys(node, 'the run put them there', {
          labels: (key) => key.startsWith(ownPrefix),
          annotations: (key) => key.startsWith(ownPrefix),
          taints: (key) => key.startsWith(ownPrefix),
        }),
      ),
      ...(facts.lease === null
        ? []
        : [
            object(
              'leases',
              'kube-system',
              facts.lease.name,
              facts.lease.uid,
              null,
              'lock and record of runs',
            ),
          ]),
    ],
    kept: [
      ...ofK3os
        .filter((found) => !goes.includes(found))
        .map(({ plan }) => ({
          what: `Plan ${plan.namespace}/${plan.name}`,
          why: `${stillK3os.join(', ')} still run${stillK3os.length === 1 ? 's' : ''} k3OS`,
        })),
      ...(goes.some(({ plan }) => plan.namespace === upgradeNamespace) ? keptOfUpgrader : []),
    ],
  }
}

const disksWhy = 'the node runs without it; nothing leads back to k3OS afterwards'

function object(
  resource: LeftoverObject['resource'],
  namespace: string,
  name: string,
  uid: string,
  sha256: string | null,
  why: string,
): LeftoverObject {
  return { kind: 'object', resource, namespace, name, uid, sha256, why }
}

type Chooses = (key: string) => boolean

function nodeKeys(
  { name, uid, labels, annotations, taints }: KubeNode,
  why: string,
  chosen: { readonly labels?: Chooses; readonly annotations?: Chooses; readonly taints?: Chooses },
): LeftoverNodeKeys[] {
  const none: Chooses = () => false
  const pick = (values: Readonly<Record<string, string>>, choose: Chooses = none) =>
    Object.fromEntries(Object.entries(values).filter(([key]) => choose(key)))
  const item: LeftoverNodeKeys = {
    kind: 'node-keys',
    node: name,
    uid,
    labels: pick(labels, chosen.labels),
    annotations: pick(annotations, chosen.annotations),
    taints: taints.filter(({ key }) => (chosen.taints ?? none)(key)),
    why,
  }
  const count = Object.keys(item.labels).length + Object.keys(item.annotations).length + item.taints.length
  return count === 0 ? [] : [item]
}

/** A Plan of k3OS that stays must not reach a node that has moved (exit 3). */
function refuseSelected(
  plan: UpgradePlan,
  moved: readonly KubeNode[],
  removed: readonly LeftoverNodeKeys[],
): void {
  const { nodeSelector } = plan
  if (nodeSelector === null) return
  const selected = moved.filter(({ name, labels }) => {
    const gone = removed.find(({ node }) => node === name)?.labels ?? {}
    const left = Object.entries(labels).filter(([key]) => !(key in gone))
    return matchesSelector(Object.fromEntries(left), nodeSelector)
  })
  if (selected.length === 0) return
  const names = selected.map(({ name }) => name).join(', ')
  throw new MigrateError(
    `the Plan ${plan.namespace}/${plan.name} must stay for nodes on k3OS, and selects ${names}, which moved`,
    {
      exitCode: exitCode.inhibitors,
      hint: `change its nodeSelector: kubectl -n ${plan.namespace} edit plans.upgrade.cattle.io ${plan.name}`,
    },
  )
}

/**
 * What is not as it was when the plan was made: `Plan k3os-system/k3os-latest changed`. Items that this plan has begun to
 * remove may be there or not.
 */
export function leftoverChanges(
  planned: readonly Leftover[],
  now: readonly Leftover[],
  begun: ReadonlySet<string>,
): string[] {
  const before = new Map(planned.map((item) => [itemKey(item), item]))
  const after = new Map(now.map((item) => [itemKey(item), item]))
  const keys = [...new Set([...before.keys(), ...after.keys()])]
  return keys.flatMap((key) => {
    const was = before.get(key)
    const is = after.get(key)
    if (was === undefined) return is === undefined ? [] : [`${leftoverText(is)} came`]
    if (begun.has(key) && (is === undefined || is.kind === 'node-keys')) return []
    if (is === undefined) return [`${leftoverText(was)} went`]
    return canonicalJson(was) === canonicalJson(is) ? [] : [`${leftoverText(was)} changed`]
  })
}

/** Stays the same when the values of an item change. */
export function itemKey(item: Leftover): string {
  switch (item.kind) {
    case 'object':
      return `${item.resource}/${item.namespace}/${item.name}`
    case 'disk':
      return `disk/${item.node}`
    case 'node-keys':
      return `node/${item.node}/${item.why}`
  }
}
