import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { requirePart } from '../support/require-part.ts'
import { vmScenario } from '../support/vm-scenario.ts'
import { missingForVm, startVmLab, type VmLab } from '../support/vm.ts'

const long = process.env['K3OS_MIGRATE_LONG'] === '1'
const skip = !long || requirePart('VM', missingForVm())
const bootMs = 240_000

describe.skipIf(skip)('a k3OS-shaped machine, at length', () => {
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

  test('it boots from the file system of 2019', async () => {
    const vm = await lab.start(await lab.makeDisk(vmScenario(), 'vm-agent', { menuSeconds: 1, age: '2019' }))
    await vm.waitForConsole(/READY/, bootMs)
    expect((await vm.ssh('sudo dumpe2fs -h /dev/sda1 2>/dev/null')).stdout).toMatch(/^Block size: +1024$/m)
    await vm.cut()
  })

  test('the installer menu waits ten seconds', async () => {
    const vm = await lab.start(await lab.makeDisk(vmScenario(), 'vm-agent'))
    const kernel = await vm.waitForConsole(/Linux version/, bootMs)
    expect(kernel.seconds).toBeGreaterThan(10)
    await vm.cut()
  })

  test('its watchdog resets it when nobody feeds it any more', async () => {
    const vm = await lab.start(await lab.makeDisk(vmScenario(), 'vm-agent', { menuSeconds: 1 }))
    await vm.waitForConsole(/READY/, bootMs)
    const from = vm.console.length
    // Opened with ten seconds to live, and not fed again.
    await vm.ssh('sudo sh -c "busybox watchdog -T 10 -t 10000 /dev/watchdog"')
    const again = await vm.waitForConsole(/READY/, bootMs, from)
    expect(again.text).toContain('vm-agent')
    await vm.cut()
  })

  test('a snapshot is a disk to start from, and the machine goes on beside it', async () => {
    const vm = await lab.start(await lab.makeDisk(vmScenario(), 'vm-agent', { menuSeconds: 1 }))
    await vm.waitForConsole(/READY/, bootMs)
    await vm.ssh('echo one | sudo tee /var/lib/mark; sync')
    await vm.cut()
    const snapshot = await vm.snapshot()
    vm.powerOn()
    await vm.waitForConsole(/READY/, bootMs)
    await vm.ssh('echo two | sudo tee /var/lib/mark; sync')
    await vm.cut()
    const other = await lab.start(snapshot)
    await other.waitForConsole(/READY/, bootMs)
    expect((await other.ssh('cat /var/lib/mark')).stdout).toBe('one\n')
    const from = other.console.length
    await other.reset()
    await other.waitForConsole(/READY/, bootMs, from)
    await other.cut()
  })
})
