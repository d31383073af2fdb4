import { noncePath } from '../core/node-paths.ts'
import type { SimNode, World } from './world.ts'

/** Started by k3OS itself, with what it had. */
export function k3osJoins(world: World, node: SimNode): void {
  const { bootId } = node
  world.clock.at(world.clock.monotonicMs() + world.pace.k3sStart * 1000, () => {
    if (node.bootId !== bootId || node.system !== 'k3os') return
    const { machineId, osImage, kernelVersion } = node.spec.node
    node.silentSinceMs = null
    Object.assign(node.kube, { bootId, machineId, osImage, kernelVersion })
    world.schedule()
  })
}

/** k3s rejoins when the machine carries what k3s asks for: this attempt's nonce, and the node password it had before. */
export function startK3s(world: World, node: SimNode): void {
  const password = node.files.get('/etc/rancher/node/password')?.trim()
  const expected = node.spec.nodePassword
  if (!node.files.has(noncePath) || (expected !== null && password !== expected)) return
  world.clock.at(world.clock.monotonicMs() + world.pace.k3sStart * 1000, () => {
    node.silentSinceMs = null
    Object.assign(node.kube, {
      bootId: node.bootId,
      machineId: node.bootId.replaceAll('-', ''),
      osImage: 'Debian GNU/Linux 13 (trixie)',
      kernelVersion: '6.12.57+deb13-amd64',
    })
    world.schedule()
  })
  if (world.trouble.turnsSick.has(node.spec.name))
    world.clock.at(world.clock.monotonicMs() + sickAfterMs, () => {
      node.kube.ready = false
    })
}

/** After the node has been seen to be well and takes pods again, before it has been watched for long. */
const sickAfterMs = 90_000
