import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { readInventory } from '../../src/commands/read-inventory.ts'
import { requirePart } from '../support/require-part.ts'
import { vmScenario } from '../support/vm-scenario.ts'
import { takeInventory, worstFindings } from '../support/vm-person.ts'
import { missingForVm, startVmLab, type DiskOptions, type Vm, type VmLab } from '../support/vm.ts'

const skip = requirePart('VM', missingForVm())
const bootMs = 240_000

interface Case {
  readonly name: string
  readonly machine: string
  readonly disk: DiskOptions
  readonly platform: string
  /** What `assess` says to it by nature. */
  readonly worst: readonly string[]
}

const cases: readonly Case[] = [
  { name: 'BIOS', machine: 'vm-agent', disk: { firmware: 'bios' }, platform: 'i386-pc', worst: [] },
  {
    name: 'UEFI, after an upgrade',
    machine: 'vm-server',
    disk: { firmware: 'uefi', upgraded: true },
    platform: 'x86_64-efi',
    worst: ['PRE-SINGLE-SERVER'],
  },
]

describe.skipIf(skip)('a k3OS-shaped machine', () => {
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

  describe.each(cases)('$name', ({ machine, disk, platform, worst }) => {
    let vm: Vm
    beforeAll(async () => {
      vm = await lab.start(await lab.makeDisk(vmScenario(), machine, { menuSeconds: 1, ...disk }))
      await vm.waitForConsole(/READY/, bootMs)
    })
    afterAll(async () => {
      await vm.cut()
    })

    test('says on its console what it is', () => {
      const said = vm.console.map(({ text }) => text)
      expect(said.filter((text) => text.includes('this is not k3OS'))).toHaveLength(1)
    })

    test('is read over SSH as any k3OS node, and nothing of it is an error', async () => {
      const { io, exit, cwd, file } = await takeInventory(lab, [vm])
      expect([exit, io.stdout()]).toEqual([0, expect.stringMatching(new RegExp(`^${machine} .* read$`, 'm'))])
      const [node] = (await readInventory(file)).nodes
      if (node?.status !== 'read') throw new Error(`not read: ${JSON.stringify(node)}`)
      expect(node.facts.failures).toEqual([])
      expect(node.facts.boot).toMatchObject({
        menu: { defaultEntry: '0', readsEnvironment: false },
        previous: disk.upgraded === true ? 'boots' : 'nothing',
      })

      // Besides, no cluster was asked; and the clock of an emulated processor lags where the computer is busy.
      const found = await worstFindings(file, cwd)
      expect(found.filter((rule) => rule !== 'PRE-CLOCK')).toEqual(['INV-CLUSTER-UNREAD', ...worst])
    })

    test('has every module of GRUB that a one-shot needs', async () => {
      const names = ['loadenv', 'normal', 'linux', 'loopback', 'squash4', 'search', 'test', 'ext2']
      const files = names.map((name) => `/boot/grub/${platform}/${name}.mod`)
      expect(await vm.ssh(`ls ${files.join(' ')}`)).toMatchObject({ code: 0 })
      // In place, and of whole sectors: a one-shot overwrites it without the journal.
      expect((await vm.ssh('stat -c "%s %b" /boot/grub/grubenv')).stdout).toMatch(/^1024 [1-9]/)
    })

    test('keeps its identity over a power cut, and nothing of /etc', async () => {
      const identity =
        'cat /etc/rancher/node/password /etc/ssh/ssh_host_ed25519_key.pub /etc/lab-note 2>/dev/null'
      const before = await vm.ssh(
        `sudo sh -c '${identity}; touch /etc/marker; echo kept >/var/lib/marker; sync'`,
      )
      const id = (await vm.ssh('cat /etc/machine-id')).stdout
      await vm.cut()
      vm.powerOn()
      await vm.waitForConsole(/READY/, bootMs)
      const after = await vm.ssh(`sudo sh -c '${identity}'`)
      expect(after.stdout).toBe(before.stdout)
      expect((await vm.ssh('cat /var/lib/marker; ls /etc/marker')).stdout).toBe('kept\n')
      expect((await vm.ssh('cat /etc/machine-id')).stdout).not.toBe(id)
    })
  })
})
