import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { requirePart } from '../support/require-part.ts'
import { missingTree } from '../support/root-tree.ts'
import { missingForVmCluster } from '../support/vm-cluster.ts'
import { movingAgent, volumesCommand } from '../support/vm-moving.ts'
import { missingLines, startWriter, withoutWriters } from '../support/vm-writer.ts'
import { missingForVm, type VmDisk } from '../support/vm.ts'

const long = process.env['K3OS_MIGRATE_LONG'] === '1'
const skip =
  !long ||
  requirePart('VM', missingForVm() ?? missingForVmCluster()) ||
  requirePart('ROOT_TREE', missingTree())

/** On average. */
const secondsBetween = 5
/** Of all moments, as many are tried: a boot takes the better part of a minute here. */
const tried = 50

interface Cut {
  readonly seconds: number
  readonly step: string
  readonly disk: VmDisk
  /** By the writer, before. */
  readonly answered: readonly string[]
}

describe.skipIf(skip)('a power cut at moments nobody chose', () => {
  const agent = movingAgent()

  test('leaves k3OS or the new system, and every line that was answered for', async () => {
    const { lab, vm, move, volumes } = agent()
    const content = withoutWriters(await volumes())
    const writer = startWriter(vm, 'random')
    const begun = performance.now()
    let isOver = false
    const moving = move.go('apply').finally(() => {
      isOver = true
    })
    const cuts: Cut[] = []
    while (!isOver) {
      await sleep(Math.random() * 2 * secondsBetween * 1000)
      const answered = writer.answered()
      const disk = await vm.freeze()
      const step = (await move.journal().catch(() => [])).at(-1)?.step ?? 'before'
      cuts.push({ seconds: Math.round((performance.now() - begun) / 1000), step, disk, answered })
    }
    expect(await moving).toEqual({ exit: 0, message: '' })
    await vm.cut()
    await writer.ended
    expect(writer.answered().length).toBeGreaterThan(0)

    const wrong: string[] = []
    const chosen = cuts
      .map((cut) => ({ cut, order: Math.random() }))
      .toSorted((one, other) => one.order - other.order)
      .slice(0, tried)
    for (const { seconds, step, disk, answered } of chosen.map(({ cut }) => cut)) {
      const machine = await lab.start(disk)
      const up = await machine.waitForSsh(500_000)
      // Its sshd answers before anybody may log in, and before everything is mounted.
      const seen = async (): Promise<string> =>
        withoutWriters((await machine.ssh(volumesCommand)).stdout.trim())
      const isWhole = await expect
        .poll(seen, { timeout: 120_000, interval: 2000 })
        .toBe(content)
        .then(
          () => true,
          () => false,
        )
      const system = (await machine.ssh('. /etc/os-release; echo $PRETTY_NAME')).stdout.trim()
      const lost = missingLines(answered, (await machine.ssh(writer.readCommand)).stdout)
      await machine.cut()
      const found = `${seconds} s (${step}): ${system} after ${Math.round(up)} s, ${lost.length} of ${answered.length} lines lost`
      process.stderr.write(`${found}\n`)
      if (!isWhole || lost.length > 0 || !/^(k3OS|Debian)/.test(system)) wrong.push(found)
    }
    process.stderr.write(`${chosen.length} moments of ${cuts.length}, ${wrong.length} of them wrong\n`)
    expect(chosen).toHaveLength(tried)
    expect(wrong).toEqual([])
  }, 7_200_000)
})
