import { describe, expect, test } from 'vitest'
import { exitCode } from '../../src/core/errors.ts'
import { requirePart } from '../support/require-part.ts'
import { missingTree } from '../support/root-tree.ts'
import { missingForVmCluster } from '../support/vm-cluster.ts'
import { atMoment, moments } from '../support/vm-moments.ts'
import type { MoveEnd } from '../support/vm-move.ts'
import { movingAgent } from '../support/vm-moving.ts'
import { missingLines, startWriter, withoutWriters } from '../support/vm-writer.ts'
import { missingForVm } from '../support/vm.ts'

const long = process.env['K3OS_MIGRATE_LONG'] === '1'
const skip =
  !long ||
  requirePart('VM', missingForVm() ?? missingForVmCluster()) ||
  requirePart('ROOT_TREE', missingTree())

describe.skipIf(skip)('a power cut in the middle of a move', () => {
  const agent = movingAgent()
  let isBegun = false
  let writers = 0

  /** As a person would: once the machine is back, resume, until it is moved or as it was. */
  async function ended(first: MoveEnd): Promise<MoveEnd> {
    let last = first
    for (let tries = 1; tries <= 3 && !isEnd(last); tries += 1) {
      await agent().readyAfter('')
      last = await agent().move.go('resume')
    }
    if (!isEnd(last))
      throw new Error(`it ends neither moved nor as it was: exit ${last.exit}, ${last.message}`)
    return last
  }

  /** Each cut is made in a move that begins in k3OS. */
  async function startOver(exit: number): Promise<void> {
    if (exit !== exitCode.ok) return
    const { exit: back, message } = await agent().move.go('revert')
    if (back !== exitCode.ok) throw new Error(`it does not go back to k3OS: ${message}`)
    isBegun = false
  }

  test.each(moments)(
    'leaves k3OS or the new system, never neither: $what',
    async (moment) => {
      const { move, vm, read, volumes, readyAfter } = agent()
      const content = withoutWriters(await volumes())
      writers += 1
      const writer = startWriter(vm, String(writers))
      const { around, hasCome } = atMoment(moment, async () => {
        await vm.cut()
        vm.powerOn()
      })
      const first = await move.go(isBegun ? 'resume' : 'apply', around)
      isBegun = true
      expect(hasCome()).toBe(true)
      const { exit } = await ended(first)
      const system = (await readyAfter('')).status.nodeInfo['osImage']
      process.stderr.write(`${moment.what}: exit ${first.exit}, then ${exit}, on ${system}\n`)
      expect(system).toMatch(exit === 0 ? /^Debian/ : /^k3OS/)
      expect(withoutWriters(await volumes())).toBe(content)
      expect(writer.answered().length).toBeGreaterThan(0)
      expect(missingLines(writer.answered(), await read(writer.readCommand))).toEqual([])
      await startOver(exit)
    },
    3_600_000,
  )
})

function isEnd({ exit }: MoveEnd): boolean {
  return exit === exitCode.ok || exit === exitCode.rolledBack
}
