import { execFileSync, spawn } from 'node:child_process'
import { createReadStream, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { planBinds } from '../../src/core/in-place/bind-mounts.ts'
import { inPlaceGates } from '../../src/core/in-place/gates.ts'
import { entryNames, migrationMenu, readInstallerMenu } from '../../src/core/in-place/grub-cfg.ts'
import { changedGrubEnvironment, readGrubEnvironment } from '../../src/core/in-place/grubenv.ts'
import { settledArguments, trialArguments } from '../../src/core/in-place/kernel-arguments.ts'
import { readLook, type NodeLook } from '../../src/core/in-place/look.ts'
import { inPlaceUnits } from '../../src/core/in-place/units.ts'
import { sh } from '../../src/core/shell.ts'
import { labTree, missingTree } from '../support/root-tree.ts'
import { requirePart } from '../support/require-part.ts'
import { missingForVm, startVmLab, type Vm, type VmLab } from '../support/vm.ts'
import { vmScenario } from '../support/vm-scenario.ts'

const long = process.env['K3OS_MIGRATE_LONG'] === '1'
const skip = !long || requirePart('VM', missingForVm()) || requirePart('ROOT_TREE', missingTree())
const script = readFileSync(new URL('../../templates/in-place/node.sh', import.meta.url), 'utf8')
const bootMs = 240_000
const id = 'debian-1'
const names = entryNames(id)
const deadlineSeconds = 150

describe.skipIf(skip)('a system beside k3OS, on trial', () => {
  let lab: VmLab
  let vm: Vm
  let look: NodeLook
  beforeAll(async () => {
    lab = startVmLab()
    const disk = await lab.makeDisk(vmScenario(), 'vm-agent', { menuSeconds: 1 })
    vm = await lab.start(disk, { deadlineMs: 1_500_000 })
    await vm.waitForConsole(/READY/, bootMs)
  })
  afterAll(async () => {
    await lab.stop()
  })
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') process.stderr.write(`consoles are kept in ${lab.keepConsoles()}\n`)
  })

  const remote = (words: readonly string[]): string =>
    ['sudo', 'sh', '-c', script, 'sh', ...words].map(sh).join(' ')
  const node = async (words: readonly string[], input = ''): Promise<string> => {
    const { code, stdout, stderr } = await vm.ssh(remote(words), { input })
    expect([words, code, stderr]).toEqual([words, 0, ''])
    return stdout
  }
  const stream = async (words: readonly string[], file: string): Promise<void> => {
    const options = ['BatchMode=yes', 'IdentitiesOnly=yes', `UserKnownHostsFile=${lab.knownHostsFile}`]
    const flags = [
      '-F',
      'none',
      '-i',
      lab.identityFile,
      '-p',
      String(vm.port),
      ...options.flatMap((each) => ['-o', each]),
    ]
    const child = spawn('ssh', [...flags, 'rancher@127.0.0.1', remote(words)], {
      stdio: ['pipe', 'inherit', 'inherit'],
    })
    createReadStream(file).pipe(child.stdin)
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0)
  }
  const arm = async (entry: string): Promise<void> => {
    const before = new TextEncoder().encode(await node(['environment']))
    await node(['arm'], new TextDecoder().decode(changedGrubEnvironment(before, { next_entry: entry })))
  }
  const restart = async (): Promise<number> => {
    const from = vm.console.length
    await vm.ssh('sudo sh -c "sleep 1; reboot" >/dev/null 2>&1 </dev/null &')
    return from
  }

  test('passes the gates as k3OS left it', async () => {
    look = readLook(await node(['look']), 'vm-agent')
    const around = {
      node: 'vm-agent',
      menu: (await vm.ssh('cat /boot/grub/grub.cfg')).stdout,
      tree: { mib: 500, files: 12_000, cgroupV1: false },
      k3sVersion: 'v1.21.5+k3s2',
      now: Math.floor(Date.now() / 1000),
    }
    expect(inPlaceGates(look, around)).toEqual([])
  })

  test('is staged: tree, files of the node, menu', async () => {
    await stream(['unpack', id], labTree)
    await stream(['seed', id], seed(lab, look))
    const reading = readInstallerMenu((await vm.ssh('cat /boot/grub/grub.cfg')).stdout)
    if (reading.status === 'foreign') throw new Error(JSON.stringify(reading.lines))
    const needs = { consoles: ['tty1', 'ttyS0'], cgroupV1: false, deadlineSeconds }
    const system = { id, title: 'Debian 13', stateUuid: look.stateUuid, nonce: 'c0ffee' }
    const menu = migrationMenu(reading.menu, {
      ...system,
      trialArguments: trialArguments(needs),
      settledArguments: settledArguments(needs),
    })
    await node(['menu'], menu)
    expect((await vm.ssh('cat /boot/grub/grub.cfg.k3os')).stdout).toContain('set default=0')
  })

  test('comes back as k3OS from the probe reboot, which GRUB has cleared', async () => {
    await arm(names.probe)
    await vm.waitForConsole(/READY/, bootMs, await restart())
    expect((await vm.ssh('cat /proc/cmdline')).stdout).toContain('k3os-migrate.probe=c0ffee')
    const cleared = new TextEncoder().encode(await node(['environment']))
    expect(readGrubEnvironment(cleared).get('next_entry')).toBe('')
  })

  test('boots with the data of k3OS in place, and after a power cut it is k3OS again', async () => {
    await arm(names.trial)
    const from = await restart()
    const { text } = await vm.waitForConsole(/PROOF/, bootMs, from)
    expect(text).toContain('PROOF 5d0c1f0be2a94c7f9d1e8a7b6c5d4e3f c0ffee')
    await vm.cut()
    vm.powerOn()
    await vm.waitForConsole(/READY/, bootMs)
    expect((await vm.ssh('cat /etc/os-release')).stdout).toContain('ID=k3os')
  })

  test('goes back to k3OS by itself when nobody confirms it within the deadline', async () => {
    await arm(names.trial)
    const from = await restart()
    await vm.waitForConsole(/PROOF/, bootMs, from)
    await vm.waitForConsole(/not confirmed within/, bootMs, from)
    await vm.waitForConsole(/READY/, bootMs, vm.console.length)
    expect((await vm.ssh('cat /etc/os-release')).stdout).toContain('ID=k3os')
  })

  test('is removed without a trace', async () => {
    await node(['remove', id])
    const { stdout } = await vm.ssh('ls /boot/grub/grub.cfg*; cat /boot/grub/grub.cfg')
    expect(stdout).not.toMatch(/grub\.cfg\.|k3os-migrate/)
  })
})

/** Files of the node as an archive: units, and a proof on the console that the data is there. */
function seed(lab: VmLab, look: NodeLook): string {
  const root = mkdtempSync(join(lab.directory, 'seed-'))
  const put = (path: string, content: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  const { files, links } = inPlaceUnits({
    binds: planBinds(look.directories).binds,
    disks: look.disks,
    // This seed sets up no network: the test above sees it on the console.
    network: [],
    stagedAt: look.epoch,
    k3sService: null,
  })
  for (const { path, content } of files) put(path, content)
  const say =
    'echo "PROOF $(cat /var/lib/rancher/k3os/node/password) $(grep -o c0ffee /proc/cmdline)" >/dev/console'
  put(
    '/etc/systemd/system/lab-proof.service',
    `[Unit]\nRequires=k3os-migrate-gate.service\nAfter=k3os-migrate-gate.service\n[Service]\nType=oneshot\nExecStart=/bin/sh -c '${say.replaceAll('$', '$$$$')}'\n`,
  )
  for (const { path, target } of [
    ...links,
    { path: '/etc/systemd/system/multi-user.target.wants/lab-proof.service', target: '../lab-proof.service' },
  ]) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    symlinkSync(target, join(root, path))
  }
  const file = join(lab.directory, 'seed.tar')
  execFileSync('tar', ['-C', root, '--owner=0', '--group=0', '--mode=go-w', '-cf', file, 'etc'])
  return file
}
