import { compareText } from './findings.ts'
import type { Inventory } from './inventory.ts'

/** One value that is not what it was; null = it is not there. */
export interface Change {
  /** `facts.k3s.version`, `pods[shop/web-1].node`. */
  readonly path: string
  readonly before: unknown
  readonly after: unknown
}

export interface InventoryDiff {
  readonly nodes: {
    readonly added: readonly string[]
    readonly removed: readonly string[]
    readonly changed: readonly { readonly name: string; readonly changes: readonly Change[] }[]
  }
  readonly cluster: readonly Change[]
}

/** What tells only when somebody looked, or changes all the time by itself. */
const passing =
  /^(readAt|how|bundle)\b|(^|\.)(bootId|machineId|clockOffsetSeconds|bytes|logBytes|freeMib|renewedAt|uid)$|^facts\.(usage|failures)\b|^pods\b|^webhookServices\[[^\]]*\]\.(ready|notReady)\b/

/**
 * What changed from one inventory to a later one. Nodes are the same by name, entries of lists by what names them. `all` shows
 * also what changes by itself: sizes, clocks, identities of a boot, pods.
 */
export function diffInventories(before: Inventory, after: Inventory, all = false): InventoryDiff {
  const shown = (changes: readonly Change[]): Change[] =>
    changes.filter(({ path }) => all || !passing.test(path))
  const older = new Map(before.nodes.map((node) => [node.name, node]))
  const newer = new Map(after.nodes.map((node) => [node.name, node]))
  const both = [...older.keys()].filter((name) => newer.has(name)).toSorted(compareText)
  return {
    nodes: {
      added: [...newer.keys()].filter((name) => !older.has(name)).toSorted(compareText),
      removed: [...older.keys()].filter((name) => !newer.has(name)).toSorted(compareText),
      changed: both
        .map((name) => ({ name, changes: shown(changesOf('', older.get(name), newer.get(name))) }))
        .filter(({ changes }) => changes.length > 0),
    },
    cluster: shown(changesOf('', clusterOf(before), clusterOf(after))),
  }
}

/** `readAt` is not of the cluster; all else is compared whether or not it could be read. */
function clusterOf({ cluster }: Inventory): unknown {
  if (cluster === null) return { status: 'not asked' }
  return cluster.status === 'read' ? { status: 'read', ...cluster.facts } : cluster
}

function changesOf(path: string, before: unknown, after: unknown): Change[] {
  if (isRecord(before) && isRecord(after)) return ofRecords(path, new Map(Object.entries(before)), after)
  if (Array.isArray(before) && Array.isArray(after)) {
    const [older, newer] = [byName(before), byName(after)]
    if (older !== undefined && newer !== undefined)
      return ofRecords(path, older, Object.fromEntries(newer), true)
  }
  if (JSON.stringify(before) === JSON.stringify(after)) return []
  return [{ path, before: before ?? null, after: after ?? null }]
}

function ofRecords(
  path: string,
  before: ReadonlyMap<string, unknown>,
  after: Readonly<Record<string, unknown>>,
  isList = false,
): Change[] {
  const keys = new Set([...before.keys(), ...Object.keys(after)])
  return [...keys].flatMap((key) => {
    const inner = isList || /[^\w]/.test(key) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`
    return changesOf(inner, before.get(key), after[key])
  })
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What names an entry of a list, in the order of trust. */
const names = ['slot', 'port', 'path', 'name', 'key', 'what', 'file', 'type', 'via'] as const

/** Entries by name; undefined when they have none, or share one: then the list is one value. */
function byName(list: readonly unknown[]): ReadonlyMap<string, unknown> | undefined {
  const entries = list.map((entry) => {
    if (typeof entry === 'string') return [entry, entry] as const
    if (!isRecord(entry)) return undefined
    const parts = [entry['kind'], entry['namespace'], ...names.map((name) => entry[name])]
    const given = parts.filter((part) => typeof part === 'string' && part !== '')
    const name = given.slice(0, entry['namespace'] === undefined ? 2 : 3).join('/')
    return name === '' ? undefined : ([name, entry] as const)
  })
  const named = entries.filter((entry) => entry !== undefined)
  const map = new Map<string, unknown>(named)
  return named.length === list.length && map.size === list.length ? map : undefined
}
