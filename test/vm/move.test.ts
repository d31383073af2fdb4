import { describe, expect, test } from 'vitest'
import { requirePart } from '../support/require-part.ts'
import { missingTree } from '../support/root-tree.ts'
import { missingForVmCluster } from '../support/vm-cluster.ts'
import { atEachMoment, moments } from '../support/vm-moments.ts'
import { stepSeconds } from '../support/vm-move.ts'
import { bootId, movingAgent, notReadyWindows, volumesCommand } from '../support/vm-moving.ts'
import { missingForVm, type VmDisk } from '../support/vm.ts'

const skip =
  requirePart('VM', missingForVm() ?? missingForVmCluster()) || requirePart('ROOT_TREE', missingTree())

describe.skipIf(skip)('an agent that is moved in place, and back', () => {
  const agent = movingAgent()
  /** Of each moment, the disk as a power cut would leave it. */
  const disks = new Map<string, VmDisk>()
  let content: string

  test('is the same node on another system, with nobody touching it', async () => {
    const { move, vm, volumes, read, readyAfter, before } = agent()
    content = await volumes()
    const copying = atEachMoment(async ({ what }) => {
      disks.set(what, await vm.freeze())
    })
    const moving = move.go('apply', copying)
    const windows = await notReadyWindows(agent(), moving)
    expect(await moving).toEqual({ exit: 0, message: '' })
    process.stderr.write(`not Ready for (probe, trial): ${windows.join(' s, ')} s\n`)
    process.stderr.write(`seconds for each step: ${JSON.stringify(stepSeconds(await move.journal()))}\n`)
    const after = await readyAfter(bootId(before))
    expect(after.metadata.uid).toBe(before.metadata.uid)
    expect(after.status.nodeInfo).toMatchObject({
      systemUUID: before.status.nodeInfo['systemUUID'],
      kubeletVersion: before.status.nodeInfo['kubeletVersion'],
      osImage: expect.stringMatching(/^Debian GNU\/Linux 1[23]/),
    })
    expect(after.metadata.labels).toMatchObject({ 'example.com/site': 'lab' })
    expect(await volumes()).toBe(content)
    expect(await read('systemctl is-system-running || systemctl --failed --no-legend')).toBe('running')
  }, 1_800_000)

  test('is k3OS again after revert, with what was written meanwhile, and nothing of the move is left', async () => {
    const { move, read, readyAfter, before } = agent()
    const now = await readyAfter('')
    const file = '/var/lib/rancher/k3s/storage/pvc-0a1b_shop_orders/of-the-new-system'
    await read(`echo two days of orders | sudo tee ${file}`)
    expect(await move.go('revert')).toEqual({ exit: 0, message: '' })
    const after = await readyAfter(bootId(now))
    expect(after.status.nodeInfo['osImage']).toBe(before.status.nodeInfo['osImage'])
    expect(await read(`sudo cat ${file}`)).toBe('two days of orders')
    expect(await read('ls /boot/grub/grub.cfg*; cat /boot/grub/grub.cfg')).not.toMatch(
      /grub\.cfg\.|k3os-migrate/,
    )
  }, 900_000)

  // Whether the run goes on from there is in `power-cuts-long` and, for every request, in the simulation.
  test.each(moments)('starts $starts when the power went $what', async ({ what, starts }) => {
    const { lab, vm } = agent()
    const disk = disks.get(what)
    if (disk === undefined) throw new Error('there was no such moment')
    await vm.cut()
    const machine = await lab.start(disk)
    await machine.waitForSsh(400_000)
    // Its sshd answers before anybody may log in, and before everything is mounted.
    const says = async (command: string): Promise<string> => (await machine.ssh(command)).stdout.trim()
    const soon = { timeout: 120_000, interval: 2000 }
    await expect.poll(async () => says('. /etc/os-release; echo $PRETTY_NAME'), soon).toContain(starts)
    await expect.poll(async () => says(volumesCommand), soon).toBe(content)
    await machine.cut()
  })
})
