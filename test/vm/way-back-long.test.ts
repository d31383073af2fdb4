import { describe, expect, test } from 'vitest'
import { exitCode } from '../../src/core/errors.ts'
import { requirePart } from '../support/require-part.ts'
import { missingTree } from '../support/root-tree.ts'
import { missingForVmCluster } from '../support/vm-cluster.ts'
import { Killed, type AroundCommand } from '../support/vm-move.ts'
import { movingAgent, type MovingAgent } from '../support/vm-moving.ts'
import { missingForVm } from '../support/vm.ts'

const long = process.env['K3OS_MIGRATE_LONG'] === '1'
const skip =
  !long ||
  requirePart('VM', missingForVm() ?? missingForVmCluster()) ||
  requirePart('ROOT_TREE', missingTree())

/** Done to the machine under k3OS when all is staged, right before the trial begins. */
const faults: readonly (readonly [what: string, command: string])[] = [
  ['a kernel that panics', trialArgument('rdinit=/nonexistent')],
  ['a root tree that was damaged after staging', 'rm -rf "$tree"/usr/lib/systemd/systemd "$tree"/sbin/init'],
  ['a kernel that is not there', 'rm "$tree"/boot/k3os-migrate/proven/vmlinuz'],
  // The machine's own watchdog is not used, so it is the kernel's that ends this.
  [
    'an initial RAM disk that waits for ever',
    `${trialArgument('modprobe.blacklist=i6300esb,iTCO_wdt')}; ${waitingScript('scripts/local-bottom/k3os-migrate')}`,
  ],
  [
    'a wrong static address',
    `for file in "$tree"/etc/systemd/network/*.network; do printf '[Match]\\nName=e*\\n[Network]\\nDHCP=no\\nAddress=203.0.113.9/24\\n' >$file; done`,
  ],
  ['an sshd that does not start', 'rm "$tree"/usr/sbin/sshd'],
  ['k3s that does not start', `printf '#!/bin/sh\\nexit 1\\n' >"$tree"/usr/bin/k3s`],
]

function trialArgument(word: string): string {
  return `sed -i '/^linux.*k3os-migrate.deadline/s|$| ${word}|; /^  linux.*k3os-migrate.deadline/s|$| ${word}|' /boot/grub/grub.cfg`
}

/** In place of one of the initial RAM disk: what comes later in it counts. */
function waitingScript(path: string): string {
  return `mkdir -p /run/wait/$(dirname ${path}); cd /run/wait; printf '#!/bin/sh\\nwhile :; do sleep 60; done\\n' >${path}; chmod 755 ${path}; echo ${path} | cpio -o -H newc 2>/dev/null | gzip >>"$tree"/boot/k3os-migrate/proven/initrd.img; cd /`
}

/** Before the trial begins, and once. */
function damaging({ vm, move }: MovingAgent, command: string): AroundCommand {
  const id = move.plan.method.kind === 'in-place' ? move.plan.method.tree.id : ''
  const script = `set -e; mkdir -p /run/lab; mount LABEL=K3OS_STATE /run/lab; tree=/run/lab/os/${id}; ${command}; sync; umount /run/lab`
  return async (name, send) => {
    if (name === 'stop') {
      const { code, stderr } = await vm.ssh('sudo sh', { input: script })
      if (code !== 0) throw new Error(`the fault could not be made: ${stderr}`)
    }
    return send()
  }
}

describe.skipIf(skip)('a new system that does not come up', () => {
  const agent = movingAgent(
    {},
    { trialDeadline: 200_000, stepTimeout: ['trial=15m', 'join=60s', 'release=60s', 'compare=60s'] },
  )

  async function isAsBefore(content: string): Promise<void> {
    const { readyAfter, before, read, volumes, cluster, name } = agent()
    const node = await readyAfter('')
    expect(node.status.nodeInfo['osImage']).toBe(before.status.nodeInfo['osImage'])
    const { body } = await cluster.request<{ spec: { unschedulable?: boolean } }>(
      'GET',
      `/api/v1/nodes/${name}`,
    )
    expect(body.spec.unschedulable ?? false).toBe(false)
    expect(await volumes()).toBe(content)
    expect(await read('cat /boot/grub/grub.cfg')).not.toContain('k3os-migrate')
  }

  test.each(faults)(
    'ends in k3OS, uncordoned: %s',
    async (_, command) => {
      const { move, volumes } = agent()
      const content = await volumes()
      const begun = performance.now()
      const { exit } = await move.go((await hasRun()) ? 'resume' : 'apply', damaging(agent(), command))
      process.stderr.write(`${_}: exit ${exit} after ${Math.round((performance.now() - begun) / 1000)} s\n`)
      expect([exitCode.rolledBack, exitCode.needsOperator]).toContain(exit)
      expect(exit).toBe(exitCode.rolledBack)
      await isAsBefore(content)
    },
    1_800_000,
  )

  test('ends in k3OS after a power cycle when its initial RAM disk hangs before it has begun', async () => {
    const { move, volumes, vm } = agent()
    const content = await volumes()
    const running = move.go(
      (await hasRun()) ? 'resume' : 'apply',
      damaging(agent(), trialArgument('rdinit=/bin/cat')),
    )
    await vm.waitForConsole(/Run \/bin\/cat as init process/, 1_200_000, vm.console.length)
    await vm.reset()
    expect((await running).exit).toBe(exitCode.rolledBack)
    await isAsBefore(content)
  }, 1_800_000)

  test('is resumed after its process died right after arming, when the deadline is long over', async () => {
    const { move, vm, volumes } = agent()
    const content = await volumes()
    let armed = 0
    const dying: AroundCommand = async (name, send) => {
      const answer = await send()
      if (name !== 'restart' || !(await isTrial())) return answer
      armed = vm.console.length
      throw new Killed()
    }
    await expect(move.go((await hasRun()) ? 'resume' : 'apply', dying)).rejects.toThrow(Killed)
    // Nobody confirms the new system, and it goes back by itself: only k3OS says that it is ready.
    await vm.waitForConsole(/READY/, 900_000, armed)
    expect((await move.go('resume')).exit).toBe(exitCode.rolledBack)
    await isAsBefore(content)
  }, 1_800_000)

  async function hasRun(): Promise<boolean> {
    return agent()
      .move.journal()
      .then(
        () => true,
        () => false,
      )
  }

  async function isTrial(): Promise<boolean> {
    const last = (await agent().move.journal()).findLast(({ phase }) => phase === 'intent')
    return last?.step === 'trial'
  }
})
