import { bundleText } from '../core/bundle-text.ts'
import { formatBundle, type Bundle } from '../core/bundle.ts'
import { exitCode, MigrateError } from '../core/errors.ts'
import type { ClusterFacts, KubeNode } from '../core/inventory.ts'
import { nodeSecrets } from '../core/node-secrets.ts'
import type { MachineSource, WorldSource } from './source.ts'

export interface MachineToSimulate {
  readonly name: string
  readonly role: 'server' | 'agent'
  readonly bundle: Bundle
}

/** A world as an inventory found it. Nodes whose machines nobody read are there, and carry pods, but cannot be moved. */
export function inventorySource(cluster: ClusterFacts, machines: readonly MachineToSimulate[]): WorldSource {
  const read = new Map(machines.map((machine) => [machine.name, machine]))
  return {
    ...cluster,
    machines: cluster.nodes.map((node) => machineOf(node, read.get(node.name))),
    budgets: cluster.pdbs,
    // What is ending has ended by the time anything begins.
    pods: cluster.pods.filter(({ terminating }) => !terminating),
    others: () => cluster,
  }
}

function machineOf(node: KubeNode, read: MachineToSimulate | undefined): MachineSource {
  const { name } = node
  if (read === undefined) return unread(node)
  const { bundle } = read
  const bytes = new TextEncoder().encode(formatBundle(bundle))
  return {
    name,
    role: read.role,
    node,
    nodePassword: nodeSecrets(bundle).nodePassword,
    file: (path) =>
      path === '/sys/class/dmi/id/product_uuid' ? `${node.systemUuid}\n` : bundleText(bundle, path),
    archive: () => bytes,
  }
}

function unread(node: KubeNode): MachineSource {
  const isServer = Object.keys(node.labels).some((label) =>
    /^node-role\.kubernetes\.io\/(control-plane|master)$/.test(label),
  )
  return {
    name: node.name,
    role: isServer ? 'server' : 'agent',
    node,
    nodePassword: null,
    file: () => undefined,
    archive() {
      throw new MigrateError(`the inventory has no bundle of ${node.name}`, { exitCode: exitCode.badInput })
    },
  }
}
