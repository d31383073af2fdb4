import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { openApi } from '../support/api-request.ts'
import { requirePart } from '../support/require-part.ts'
import { labTree, missingTree } from '../support/root-tree.ts'
import { isReady, missingForVmCluster, serverK3s, waitForNode, type VmNode } from '../support/vm-cluster.ts'
import { planInPlace, stepSeconds, type PlannedMove } from '../support/vm-move.ts'
import { takeInventory } from '../support/vm-person.ts'
import { vmScenario } from '../support/vm-scenario.ts'
import { missingForVm, startVmLab, type Vm, type VmLab } from '../support/vm.ts'

const skip =
  requirePart('VM', missingForVm() ?? missingForVmCluster()) || requirePart('ROOT_TREE', missingTree())
const bootMs = 240_000
// An API server without a processor of its own.
const serverMs = 600_000
const name = 'vm-server'

describe.skipIf(skip)('a machine that is its own control plane, with a static address, on UEFI', () => {
  let lab: VmLab
  let vm: Vm
  let move: PlannedMove
  let api: Awaited<ReturnType<typeof openApi>>
  beforeAll(async () => {
    lab = startVmLab()
    const disk = await lab.makeDisk(vmScenario(), name, { menuSeconds: 1, ...serverK3s() })
    vm = await lab.start(disk, { memoryMib: 2048, forward: [6443], deadlineMs: 2 * 3_600_000 })
    await vm.waitForConsole(/READY/, bootMs)
    const { stdout } = await vm.ssh(
      'until sudo test -s /etc/rancher/k3s/k3s.yaml; do sleep 2; done; sudo cat /etc/rancher/k3s/k3s.yaml',
    )
    const url = `https://127.0.0.1:${vm.forwarded(6443)}`
    const kubeconfig = join(lab.directory, 'server.kubeconfig')
    writeFileSync(kubeconfig, stdout.replace(/server: .*/, `server: ${url}`))
    api = await openApi(url, kubeconfig)
    // The last label comes from the controllers, some time after the first heartbeat.
    const isSettled = (node: VmNode): boolean =>
      isReady(node) && 'beta.kubernetes.io/os' in node.metadata.labels
    await waitForNode(api, name, 'is Ready with all its labels', isSettled, serverMs)
    const { cwd } = await takeInventory(lab, [vm], { cluster: true, kubeconfig })
    move = await planInPlace(lab, cwd, labTree, kubeconfig, {
      stepTimeout: ['join=15m', 'workloads=20m', 'probe=20m'],
      trialDeadline: 3_000_000,
    })
  }, 1_800_000)
  afterAll(async () => {
    api.close()
    await lab.stop()
  })
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') process.stderr.write(`consoles are kept in ${lab.keepConsoles()}\n`)
  })

  test('is moved with its datastore, as the same node of the same cluster', async () => {
    const before = await waitForNode(api, name, 'is Ready', isReady, serverMs)
    const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kept' }, data: { a: 'b' } }
    const path = '/api/v1/namespaces/default/configmaps'
    expect((await api.request('POST', path, configMap)).status).toBe(201)
    expect(await move.go('apply')).toEqual({ exit: 0, message: '' })
    process.stderr.write(`seconds for each step: ${JSON.stringify(stepSeconds(await move.journal()))}\n`)
    const after = await waitForNode(api, name, 'is Ready', isReady, serverMs)
    expect(after.metadata.uid).toBe(before.metadata.uid)
    expect(after.status.nodeInfo['osImage']).toMatch(/^Debian/)
    expect((await api.request('GET', `${path}/kept`)).body).toMatchObject({ data: { a: 'b' } })
  }, 3_600_000)
})
