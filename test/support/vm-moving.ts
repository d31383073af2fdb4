import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll } from 'vitest'
import type { PlanOptions } from '../../src/commands/plan.ts'
import { labTree } from './root-tree.ts'
import { isReady, startVmCluster, waitForNode, type VmCluster, type VmNode } from './vm-cluster.ts'
import type { DiskOptions } from './vm-disk.ts'
import { makeWorkloads, planInPlace, type PlannedMove } from './vm-move.ts'
import { takeInventory } from './vm-person.ts'
import { vmScenario } from './vm-scenario.ts'
import { startVmLab, type Vm, type VmLab } from './vm.ts'

/** A machine of the lab that is an agent of a cluster on this computer, read and planned; a suite of tests moves it about. */
export interface MovingAgent {
  readonly name: string
  readonly lab: VmLab
  readonly cluster: VmCluster
  readonly vm: Vm
  /** Before anything was moved. */
  readonly before: VmNode
  readonly move: PlannedMove
  /** What a command says on the machine, whatever runs there. */
  readonly read: (command: string) => Promise<string>
  /** Digests of what lies in its volumes. */
  readonly volumes: () => Promise<string>
  /** The Node when it is Ready in another boot than this one. */
  readonly readyAfter: (bootId: string) => Promise<VmNode>
}

const bootMs = 300_000

/** Says the digests of what lies in its volumes. */
export const volumesCommand = 'sudo find /var/lib/rancher/k3s/storage -type f | sort | sudo xargs sha256sum'

export function movingAgent(disk: DiskOptions = {}, changes: Partial<PlanOptions> = {}): () => MovingAgent {
  let agent: MovingAgent | undefined
  let lab: VmLab | undefined
  let cluster: VmCluster | undefined
  const name = 'vm-agent'
  beforeAll(async () => {
    const started = await startVmCluster('192.0.2.1', 'lab-token')
    cluster = started
    lab = startVmLab()
    const scenario = vmScenario({ serverUrl: started.serverUrl })
    const made = await lab.makeDisk(scenario, name, { menuSeconds: 1, k3s: started.k3s, ...disk })
    const vm = await lab.start(made, { deadlineMs: 6 * 3_600_000 })
    const before = await waitForNode(started, name, 'is Ready', isReady, bootMs)
    await makeWorkloads(started.request, scenario)
    const { kubeconfig } = started
    const { cwd } = await takeInventory(lab, [vm], { cluster: true, kubeconfig })
    const move = await planInPlace(lab, cwd, labTree, kubeconfig, changes)
    const read = async (command: string): Promise<string> => {
      const { code, stdout, stderr } = await vm.ssh(command)
      if (code !== 0) throw new Error(`${command}: exit ${code}: ${stderr}`)
      return stdout.trim()
    }
    agent = {
      name,
      lab,
      cluster: started,
      vm,
      before,
      move,
      read,
      volumes: async () => read(volumesCommand),
      readyAfter: async (bootId) =>
        waitForNode(
          started,
          name,
          'is Ready in another boot',
          (node) => isReady(node) && node.status.nodeInfo['bootID'] !== bootId,
          bootMs,
        ),
    }
  }, 900_000)
  afterAll(async () => {
    await lab?.stop()
    await cluster?.stop()
  })
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') process.stderr.write(`consoles are kept in ${lab?.keepConsoles()}\n`)
  })
  return () => {
    if (agent === undefined) throw new Error('the machine has not started')
    return agent
  }
}

export function bootId(node: VmNode): string {
  return node.status.nodeInfo['bootID'] ?? ''
}

/** How long the Node was not Ready, each time, until something has ended; in seconds, looked at every second. */
export async function notReadyWindows(
  { cluster, name }: MovingAgent,
  until: Promise<unknown>,
): Promise<readonly number[]> {
  let isOver = false
  void until.catch(() => undefined).then(() => (isOver = true))
  const windows: number[] = []
  let since: number | undefined
  while (!isOver) {
    const { body } = await cluster.request<VmNode>('GET', `/api/v1/nodes/${name}`)
    if (isReady(body)) {
      if (since !== undefined) windows.push(Math.round((performance.now() - since) / 1000))
      since = undefined
    } else since ??= performance.now()
    await sleep(1000)
  }
  // It is Ready: that is what was waited for.
  if (since !== undefined) windows.push(Math.round((performance.now() - since) / 1000))
  return windows
}
