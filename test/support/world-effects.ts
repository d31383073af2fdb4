import type { Around, PortCall } from '../../src/migrate/port-calls.ts'
import type { World } from '../../src/simulation/world.ts'
import type { Simulated } from './simulated-run.ts'

/** What must be equal however often a run was disturbed. */
export function endState({ world, files }: Simulated): object {
  const nodes = [...world.nodes.values()].map((node) => {
    const { bootId: _, machineId: __, ...kube } = world.kubeNode(node)
    return { ...kube, system: node.system }
  })
  const pods = world.pods.map(
    ({ name, node, ready }) => `${kindOfPod(name)} ready=${ready} placed=${node !== null}`,
  )
  return {
    nodes,
    controllers: [...world.controllers.values()].map(({ annotations, spec }) => ({ annotations, spec })),
    pods: pods.toSorted(),
    files: [...files.keys()].map((name) => name.replace(/(seed|hook)-\d+/, '$1-N')).toSorted(),
  }
}

/**
 * Notes each request that made the world another one. A request that is sent twice is noted twice only when the second one
 * had an effect as well.
 */
export function noteEffects(world: World, effects: string[]): Around {
  return async (call, send) => {
    if (call.effect === 'reads' || call.port === 'files') return send()
    const seen = () => stateText(call, world)
    const before = seen()
    try {
      return await send()
    } finally {
      if (seen() !== before) effects.push(callText(call, world))
    }
  }
}

/** Evictions are under way together: each is judged by its own pod. */
function stateText({ method, args }: PortCall, world: World): string {
  if (method !== 'evict') return worldText(world)
  const { uid } = args[0] as { readonly uid: string }
  return String(world.pods.find((pod) => pod.uid === uid)?.terminating ?? 'gone')
}

function worldText(world: World): string {
  const nodes = [...world.nodes.values()].map(({ kube, system, files }) => [kube, system, [...files]])
  const controllers = [...world.controllers.values()].map(({ annotations, spec }) => [annotations, spec])
  return JSON.stringify([nodes, controllers, world.pods.map(({ uid, terminating }) => [uid, terminating])])
}

/** Without what may differ from one try to the next: nonces and generated names. */
function callText({ port, method, args }: PortCall, world: World): string {
  const [first, second] = args
  if (port === 'hook') {
    const { environment } = second as { readonly environment: Readonly<Record<string, string>> }
    return `hook ${environment['K3OS_MIGRATE_NODE']}`
  }
  if (method === 'evict') {
    const { uid } = first as { readonly uid: string }
    const pod = world.pods.find((one) => one.uid === uid)
    return `evict ${kindOfPod(pod?.name ?? uid)}`
  }
  if (port === 'host') return `write ${(first as { readonly name: string }).name} ${String(second)}`
  return `${method} ${JSON.stringify([first, second])}`
}

function kindOfPod(name: string): string {
  return name.replace(/-7c9d-.*/, '')
}
