import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { finalize, finalizeApply } from '../../src/commands/finalize.ts'
import { finalizePlanSchema } from '../../src/core/finalize.ts'
import { recordingIo } from '../support/recording-io.ts'
import { requirePart } from '../support/require-part.ts'
import { missingTree } from '../support/root-tree.ts'
import { missingForVmCluster } from '../support/vm-cluster.ts'
import { stepSeconds } from '../support/vm-move.ts'
import { bootId, movingAgent, notReadyWindows } from '../support/vm-moving.ts'
import { missingForVm } from '../support/vm.ts'

const long = process.env['K3OS_MIGRATE_LONG'] === '1'
const skip =
  !long ||
  requirePart('VM', missingForVm() ?? missingForVmCluster()) ||
  requirePart('ROOT_TREE', missingTree())

/** On the new system. */
const armed = 'sudo grep -a ^next_entry= /state/boot/grub/grubenv'

describe.skipIf(skip)('an agent on UEFI, until nothing of k3OS is left', () => {
  const agent = movingAgent({ firmware: 'uefi' })

  /** What the newest links name is what every boot takes, and nothing is armed. */
  async function isProven(): Promise<void> {
    const files = ['vmlinuz', 'initrd.img'].map(
      (name) => `[ /${name} -ef /boot/k3os-migrate/proven/${name} ]`,
    )
    const look = `${files.join(' && ')} && ${armed}`
    await expect
      .poll(async () => (await agent().vm.ssh(look)).stdout.trim(), { timeout: 300_000, interval: 5000 })
      .toBe('next_entry=')
  }

  test('is moved', async () => {
    const { move, volumes, readyAfter, before } = agent()
    const content = await volumes()
    const moving = move.go('apply')
    const windows = await notReadyWindows(agent(), moving)
    expect(await moving).toEqual({ exit: 0, message: '' })
    process.stderr.write(`not Ready for (probe, trial): ${windows.join(' s, ')} s\n`)
    process.stderr.write(`seconds for each step: ${JSON.stringify(stepSeconds(await move.journal()))}\n`)
    const after = await readyAfter(bootId(before))
    expect(after.metadata.uid).toBe(before.metadata.uid)
    expect(after.status.nodeInfo['osImage']).toMatch(/^Debian/)
    expect(await volumes()).toBe(content)
  }, 1_800_000)

  test('restarts', async () => {
    const { vm, readyAfter } = agent()
    const now = await readyAfter('')
    const begun = readyAfter(bootId(now))
    await vm.ssh('sudo systemctl --no-block reboot')
    const windows = await notReadyWindows(agent(), begun)
    process.stderr.write(`not Ready in a plain restart of the moved system: ${windows.join(' s, ')} s\n`)
    expect((await begun).status.nodeInfo['osImage']).toMatch(/^Debian/)
  }, 600_000)

  test('tries a kernel that a package brought, and takes it for good when it has come up', async () => {
    const { lab, vm, read, readyAfter } = agent()
    const before = await readyAfter('')
    const old = await read('uname -r')
    const file = secondKernel(lab.directory)
    const { code } = await vm.ssh('base64 -d >kernel.deb', { input: readFileSync(file).toString('base64') })
    expect(code).toBe(0)
    await read('sudo dpkg -i kernel.deb')
    expect(await read('readlink -e /vmlinuz /initrd.img /vmlinuz.old /initrd.img.old')).toContain(old)
    expect(await read(armed)).toMatch(/^next_entry=k3os-migrate-.*-kernel$/)
    await vm.ssh('sudo systemctl --no-block reboot')
    const after = await readyAfter(bootId(before))
    expect(after.status.nodeInfo['osImage']).toMatch(/^Debian/)
    const now = await read('uname -r')
    process.stderr.write(`kernel ${old}, then ${now}\n`)
    expect(now).not.toBe(old)
    await isProven()
  }, 1_800_000)

  test('boots the kernel before when the newest one does not come up', async () => {
    const { vm, read, readyAfter } = agent()
    const before = await readyAfter('')
    await read(
      `sudo sh -c 'file=$(readlink -f /initrd.img); echo broken >$file.new; mv $file.new $file; /etc/initramfs/post-update.d/zz-k3os-migrate'`,
    )
    expect(await read(armed)).toMatch(/-kernel$/)
    const from = vm.console.length
    await vm.ssh('sudo systemctl --no-block reboot')
    await vm.waitForConsole(/Kernel panic/, 600_000, from)
    const after = await readyAfter(bootId(before))
    expect(after.status.nodeInfo['osImage']).toMatch(/^Debian/)
    expect(await read('cat /proc/cmdline')).not.toContain('k3os-migrate.deadline')
    await expect
      .poll(async () => read('sudo journalctl -b -u k3os-migrate-kernel'), {
        timeout: 120_000,
        interval: 3000,
      })
      .toContain('the newest kernel did not come up')
    // Made again, it is tried again: after k3OS is gone.
    await read('sudo update-initramfs -u -k "$(uname -r)"')
    expect(await read(armed)).toMatch(/-kernel$/)
  }, 1_800_000)

  test('runs without k3OS after finalize, which frees its room', async () => {
    const { lab, vm, move, read, readyAfter } = agent()
    const before = await readyAfter('')
    const io = recordingIo(move.cwd, { env: { HOME: lab.home, USER: 'lab' } })
    const options = { kubeconfig: move.kubeconfig, stateDir: join(move.cwd, 'state') }
    await finalize({ ...options, out: 'finalize.json', output: 'table' }, io)
    const plan = finalizePlanSchema.parse(JSON.parse(readFileSync(join(move.cwd, 'finalize.json'), 'utf8')))
    expect(plan.items[0]).toMatchObject({ kind: 'disk', node: 'vm-agent' })
    await finalizeApply({ ...options, plan: 'finalize.json', approvePlan: plan.digest, output: 'table' }, io)
    expect(await read('ls /state/k3os')).not.toContain('system')
    await vm.ssh('sudo systemctl --no-block reboot')
    const after = await readyAfter(bootId(before))
    expect(after.status.nodeInfo['osImage']).toMatch(/^Debian/)
    expect(await read('cat /proc/cmdline')).toContain('k3os-migrate.kernel')
    await isProven()
    expect(await move.go('revert')).toMatchObject({
      exit: 3,
      message: expect.stringContaining('no k3OS on its disk'),
    })
  }, 1_200_000)
})

/** Debian 12's kernel, as a package of this computer's own mirror. */
function secondKernel(directory: string): string {
  const depends = execFileSync('apt-cache', ['depends', 'linux-image-amd64'], { encoding: 'utf8' })
  const [, name] = /Depends: (linux-image-\S+)/.exec(depends) ?? []
  if (name === undefined) throw new Error('there is no kernel in the lists of packages; run apt-get update')
  execFileSync('apt-get', ['download', '-q', name], { cwd: directory, stdio: 'ignore' })
  const file = readdirSync(directory).find((one) => one.startsWith(name))
  if (file === undefined) throw new Error(`${name} was not downloaded`)
  return join(directory, file)
}
