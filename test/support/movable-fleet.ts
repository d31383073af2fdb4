import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseBundle } from '../../src/core/bundle.ts'
import { nodeFacts } from '../../src/core/facts.ts'
import type { Inventory, InventoryNode } from '../../src/core/inventory.ts'
import { yaml } from '../../src/core/yaml-text.ts'
import { scenarioSource } from '../../src/simulation/scenario-source.ts'
import { parseScenario, type Scenario, type ScenarioNode } from '../../src/simulation/scenario.ts'
import { VirtualClock } from '../../src/simulation/virtual-clock.ts'
import { World } from '../../src/simulation/world.ts'

const file = fileURLToPath(new URL('../../examples/shops/cluster.yaml', import.meta.url))
const now = new Date('2026-11-24T08:00:00Z')

/**
 * The inventory of a chain of as many shops, each a copy of one of the example's, that nothing stands against moving: one
 * server, six replicas of half as many workloads, a budget for every second one, a volume on every tenth disk.
 */
export function writeMovableFleet(folder: string, nodes: number): void {
  const source = scenarioSource(scenarioOf(nodes))
  const { machines } = source
  const cluster = new World(source, new VirtualClock(now)).facts()
  mkdirSync(join(folder, 'bundles'), { recursive: true })
  const entries = machines.map((machine): InventoryNode => {
    const { name, node } = machine
    const bundle = machine.archive(node.bootId, now)
    writeFileSync(join(folder, 'bundles', `${name}.bundle`), bundle, { mode: 0o600 })
    return {
      name,
      address: node.addresses[0]?.address ?? null,
      status: 'read',
      readAt: now.toISOString(),
      how: `ssh rancher@${name}:22`,
      bundle: { file: `bundles/${name}.bundle`, sha256: createHash('sha256').update(bundle).digest('hex') },
      facts: nodeFacts(parseBundle(bundle, name), { epochSeconds: now.getTime() / 1000 }),
    }
  })
  const inventory: Inventory = {
    apiVersion: 'k3os-migrate/v1',
    kind: 'Inventory',
    metadata: { createdAt: now.toISOString(), toolVersion: '0.1.0' },
    cluster: { status: 'read', readAt: now.toISOString(), facts: cluster },
    nodes: entries,
  }
  writeFileSync(join(folder, 'inventory.yaml'), yaml(inventory))
}

function scenarioOf(count: number): Scenario {
  const example = parseScenario(readFileSync(file, 'utf8'), file)
  const [server, ...shops] = example.nodes
  if (server === undefined) throw new Error('the example has no server')
  const nodes = Array.from({ length: count }, (_, index) =>
    index === 0 ? server : copyOf(shops[index % shops.length] ?? server, index),
  )
  const shop = (index: number): string => nodes[1 + (index % (count - 1))]?.name ?? server.name
  const numbers = Array.from({ length: Math.floor(count / 2) }, (_, index) => index)
  const workload = {
    namespace: 'shops',
    kind: 'Deployment',
    volumes: [],
    graceSeconds: 30,
    priority: 0,
  } as const
  return {
    ...example,
    nodes,
    upgradePlan: false,
    workloads: [
      ...example.workloads.filter(({ kind }) => kind === 'DaemonSet'),
      ...numbers.map((index) => ({
        ...workload,
        volumes: [],
        name: `web-${index}`,
        labels: { app: `web-${index}` },
        requests: { cpu: '50m', memory: '64Mi' },
        on: [0, 1, 2, 3, 4, 5].map((replica) => shop(index * 7 + replica * 131)),
      })),
    ],
    budgets: numbers
      .filter((index) => index % 2 === 0)
      .map((index) => ({
        namespace: 'shops',
        name: `web-${index}`,
        matchLabels: { app: `web-${index}` },
        minAvailable: 4,
      })),
    localVolumes: numbers
      .filter((index) => index % 5 === 0)
      .map((index) => ({
        name: `pvc-${index}`,
        node: shop(index * 2),
        namespace: 'shops',
        claim: `data-${index}`,
        bytes: 1e8,
      })),
  }
}

function copyOf(pattern: ScenarioNode, index: number): ScenarioNode {
  const number = String(index).padStart(4, '0')
  const name = `shop-${number}`
  return {
    ...pattern,
    name,
    address: `10.${index >> 8}.${index & 255}.9`,
    labels: {},
    taints: [],
    machine: {
      ...pattern.machine,
      uuid: `4c4c4544-0031-4d10-8036-00000000${number}`,
      mac: `52:54:00:00:${number.slice(0, 2)}:${number.slice(2)}`,
    },
    files: Object.fromEntries(
      Object.entries(pattern.files).map(([path, text]) => [path, text.replaceAll(pattern.name, name)]),
    ),
  }
}
