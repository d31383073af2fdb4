import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { exitCode } from '../../src/core/errors.ts'
import { requirePart } from '../support/require-part.ts'
import { missingTree } from '../support/root-tree.ts'
import { missingForVmCluster } from '../support/vm-cluster.ts'
import { atMoment, moments } from '../support/vm-moments.ts'
import type { MoveEnd } from '../support/vm-move.ts'
import { movingAgent, type MovingAgent } from '../support/vm-moving.ts'
import { missingForVm } from '../support/vm.ts'

const long = process.env['K3OS_MIGRATE_LONG'] === '1'
const skip =
  !long ||
  requirePart('VM', missingForVm() ?? missingForVmCluster()) ||
  requirePart('ROOT_TREE', missingTree())

/** About as long as a whole move takes here. */
const moveSeconds = 300

const volume = '/var/lib/rancher/k3s/storage/pvc-0a1b_shop_orders'

/** A pod that writes line after line, and says so when it is on the disk, until its machine goes down. */
function orders({ vm, read }: MovingAgent, name: string): { readonly lost: () => Promise<string[]> } {
  const file = `${volume}/${name}`
  const write = `echo "order $i" | dd of=${file} oflag=append conv=notrunc,fsync 2>/dev/null && echo "order $i"`
  const writing = vm.ssh(`sudo sh -c 'i=0; while i=$((i + 1)); do ${write}; sleep 0.2; done'`)
  return {
    async lost() {
      const answered = (await writing).stdout.split('\n').slice(0, -1)
      const kept = new Set((await read(`sudo cat ${file}`)).split('\n'))
      expect(answered.length).toBeGreaterThan(0)
      return answered.filter((line) => !kept.has(line))
    },
  }
}

describe.skipIf(skip)('a power cut in the middle of a move', () => {
  const agent = movingAgent()
  let isBegun = false
  let writers = 0

  /** What nothing writes to while its machine is moved. */
  async function still(): Promise<string> {
    const read = await agent().volumes()
    return read
      .split('\n')
      .filter((line) => !line.includes('/orders-'))
      .join('\n')
  }

  function startWriter(): ReturnType<typeof orders> {
    writers += 1
    return orders(agent(), `orders-${writers}`)
  }

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

  // At moments nobody chose: `K3OS_MIGRATE_CUTS=50 npm run test:vm:long` takes some hours.
  const random = Array.from({ length: Number(process.env['K3OS_MIGRATE_CUTS'] ?? 0) }, () =>
    Math.round(Math.random() * moveSeconds),
  )

  test.each(random)(
    'leaves k3OS or the new system %i s after the beginning',
    async (seconds) => {
      const { move, vm } = agent()
      const content = await still()
      const writer = startWriter()
      const moving = move.go(isBegun ? 'resume' : 'apply')
      isBegun = true
      await sleep(seconds * 1000)
      await vm.cut()
      vm.powerOn()
      const { exit } = await ended(await moving)
      process.stderr.write(`cut after ${seconds} s: ${exit === 0 ? 'moved' : 'as before'}\n`)
      expect(await still()).toBe(content)
      expect(await writer.lost()).toEqual([])
      await startOver(exit)
    },
    3_600_000,
  )

  test.each(moments)(
    'leaves k3OS or the new system, never neither: $what',
    async (moment) => {
      const { move, vm, readyAfter } = agent()
      const content = await still()
      const writer = startWriter()
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
      expect(await still()).toBe(content)
      expect(await writer.lost()).toEqual([])
      await startOver(exit)
    },
    3_600_000,
  )
})

function isEnd({ exit }: MoveEnd): boolean {
  return exit === exitCode.ok || exit === exitCode.rolledBack
}
