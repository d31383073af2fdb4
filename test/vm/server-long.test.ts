import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { openApi } from '../support/api-request.ts'
import { requirePart } from '../support/require-part.ts'
import { isReady, missingForVmCluster, serverK3s, waitForNode } from '../support/vm-cluster.ts'
import { vmScenario } from '../support/vm-scenario.ts'
import { missingForVm, startVmLab, type Vm, type VmLab } from '../support/vm.ts'

const long = process.env['K3OS_MIGRATE_LONG'] === '1'
const skip = !long || requirePart('VM', missingForVm() ?? missingForVmCluster())
const bootMs = 240_000
// An API server without a processor of its own.
const serverMs = 420_000
const name = 'vm-server'

describe.skipIf(skip)('a machine that is its own control plane', () => {
  let lab: VmLab
  beforeAll(() => {
    lab = startVmLab()
  })
  afterAll(async () => {
    await lab.stop()
  })
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') process.stderr.write(`consoles are kept in ${lab.keepConsoles()}\n`)
  })

  /** Asks the API server of the machine with its own kubeconfig. */
  async function apiOf(vm: Vm): ReturnType<typeof openApi> {
    await vm.waitForConsole(/READY/, bootMs)
    const read =
      'until sudo test -s /etc/rancher/k3s/k3s.yaml; do sleep 2; done; sudo cat /etc/rancher/k3s/k3s.yaml'
    const { code, stdout } = await vm.ssh(read)
    if (code !== 0) throw new Error('no kubeconfig')
    const kubeconfig = join(lab.directory, 'server.kubeconfig')
    writeFileSync(kubeconfig, stdout)
    const api = await openApi(`https://127.0.0.1:${vm.forwarded(6443)}`, kubeconfig)
    onTestFinished(api.close)
    return api
  }

  test('what it stored is there after a power cut, and it is the same node of the same cluster', async () => {
    const disk = await lab.makeDisk(vmScenario(), name, { menuSeconds: 1, ...serverK3s() })
    const vm = await lab.start(disk, { memoryMib: 2048, forward: [6443], deadlineMs: 1_200_000 })
    const first = await apiOf(vm)
    const before = await waitForNode(first, name, 'is Ready', isReady, serverMs)
    const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kept' }, data: { a: 'b' } }
    const path = '/api/v1/namespaces/default/configmaps'
    expect((await first.request('POST', path, configMap)).status).toBe(201)

    await vm.cut()
    vm.powerOn()
    const second = await apiOf(vm)
    const after = await waitForNode(
      second,
      name,
      'is Ready in another boot',
      (node) => isReady(node) && node.status.nodeInfo['bootID'] !== before.status.nodeInfo['bootID'],
      serverMs,
    )
    expect(after.metadata.uid).toBe(before.metadata.uid)
    expect((await second.request('GET', `${path}/kept`)).body).toMatchObject({ data: { a: 'b' } })
    process.stderr.write(
      `server Ready; console of the second boot: ${vm.console.findLast(({ text }) => /READY/.test(text))?.seconds} s\n`,
    )
  }, 1_200_000)
})
