import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { requirePart } from '../support/require-part.ts'
import {
  isReady,
  missingForVmCluster,
  realK3s,
  startVmCluster,
  waitForNode,
  type VmCluster,
} from '../support/vm-cluster.ts'
import { takeInventory, worstFindings } from '../support/vm-person.ts'
import { vmScenario } from '../support/vm-scenario.ts'
import { missingForVm, startVmLab, type Vm, type VmLab } from '../support/vm.ts'

const skip = requirePart('VM', missingForVm() ?? missingForVmCluster())
const bootMs = 240_000
const name = 'vm-agent'

// What the stand-in shows is true of it, and of k3s as far as lab/k3s-standin/README.md says.
const which = realK3s() === undefined ? 'the stand-in for k3s' : 'a real k3s'

describe.skipIf(skip)(`${which} on a machine, and a cluster on this computer`, () => {
  let lab: VmLab
  let cluster: VmCluster
  let vm: Vm
  beforeAll(async () => {
    cluster = await startVmCluster('192.0.2.1', 'lab-token')
    lab = startVmLab()
    const scenario = vmScenario({ serverUrl: cluster.serverUrl })
    vm = await lab.start(await lab.makeDisk(scenario, name, { menuSeconds: 1, k3s: cluster.k3s }))
    await waitForNode(cluster, name, 'is Ready', isReady, bootMs)
  })
  afterAll(async () => {
    await lab.stop()
    await cluster.stop()
  })
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') process.stderr.write(`consoles are kept in ${lab.keepConsoles()}\n`)
  })

  async function read(command: string): Promise<string> {
    const { code, stdout, stderr } = await vm.ssh(command)
    if (code !== 0) throw new Error(`${command}: exit ${code}: ${stderr}`)
    return stdout.trim()
  }

  test('the Node says which machine it is', async () => {
    const { metadata, spec, status } = await waitForNode(cluster, name, 'is Ready', isReady, bootMs)
    expect(status.nodeInfo).toMatchObject({
      bootID: await read('cat /proc/sys/kernel/random/boot_id'),
      machineID: await read('cat /etc/machine-id'),
      systemUUID: '6b2f4a10-58c1-4f5e-9b0a-3f1d5c7e9a15',
      osImage: 'k3OS v0.21.5-k3s2r1',
      kernelVersion: await read('uname -r'),
    })
    expect(metadata.labels).toMatchObject({ 'k3os.io/mode': 'local', 'example.com/site': 'lab' })
    expect(spec.taints).toContainEqual(expect.objectContaining({ key: 'example.com/only' }))
  })

  test('machine and cluster are read like any k3OS cluster, and nothing is an error', async () => {
    const { kubeconfig } = cluster
    const { io, exit, cwd, file } = await takeInventory(lab, [vm], { cluster: true, kubeconfig })
    expect([exit, io.stderr()]).toEqual([0, expect.stringContaining(`${name}: read`)])
    // The control plane is on this computer: for the tool, a server that it could not look at.
    expect(await worstFindings(file, cwd)).toEqual([])
  })

  test('labels are written at each start, taints only when the Node is made', async () => {
    const path = `/api/v1/nodes/${name}`
    await cluster.request('PATCH', path, { metadata: { labels: { 'example.com/site': 'elsewhere' } } })
    await cluster.request('PATCH', path, { spec: { taints: null } })
    await read('sudo rc-service k3s-service restart')
    const node = await waitForNode(
      cluster,
      name,
      'has its label again',
      ({ metadata }) => metadata.labels['example.com/site'] === 'lab',
      60_000,
    )
    expect((node.spec.taints ?? []).map(({ key }) => key)).not.toContain('example.com/only')
  })

  test('another node password is refused, and the right one is taken again', async () => {
    const file = '/etc/rancher/node/password'
    await read(`sudo rc-service k3s-service stop && sudo cp ${file} /root/password`)
    await read(`echo wrong | sudo tee ${file} && sudo rc-service k3s-service start`)
    await waitForNode(cluster, name, 'is not Ready', (node) => !isReady(node), 60_000)
    expect(await read('sudo tail -n 5 /var/log/k3s-service.log')).toContain('Node password rejected')
    await read(`sudo cp /root/password ${file} && sudo rc-service k3s-service restart`)
    await waitForNode(cluster, name, 'is Ready again', isReady, 60_000)
  })

  test('after a reboot it is the same machine in another boot', async () => {
    const before = await waitForNode(cluster, name, 'is Ready', isReady, bootMs)
    const from = vm.console.length
    await vm.ssh('sudo reboot')
    await vm.waitForConsole(/goes down/, 60_000, from)
    const after = await waitForNode(
      cluster,
      name,
      'is Ready in another boot',
      (node) => isReady(node) && node.status.nodeInfo['bootID'] !== before.status.nodeInfo['bootID'],
      bootMs,
    )
    expect(after.metadata.uid).toBe(before.metadata.uid)
    expect(after.status.nodeInfo['systemUUID']).toBe(before.status.nodeInfo['systemUUID'])
  })
})
