import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { exitCode } from '../../src/core/errors.ts'
import { requirePart } from '../support/require-part.ts'
import { missingTree } from '../support/root-tree.ts'
import { missingForVmCluster } from '../support/vm-cluster.ts'
import type { AroundCommand, MoveEnd } from '../support/vm-move.ts'
import { movingAgent, type MovingAgent } from '../support/vm-moving.ts'
import { missingForVm } from '../support/vm.ts'

const long = process.env['K3OS_MIGRATE_LONG'] === '1'
const skip =
  !long ||
  requirePart('VM', missingForVm() ?? missingForVmCluster()) ||
  requirePart('ROOT_TREE', missingTree())

/** About as long as a whole move takes here. */
const moveSeconds = 300

interface Moment {
  readonly what: string
  /** The command of `node.sh`, and which time it is sent. */
  readonly command: string
  readonly time: number
  /** Seconds after it was sent; null: when it has answered. */
  readonly after: number | null
}

const moments: readonly Moment[] = [
  { what: 'while the root tree is unpacked', command: 'unpack', time: 1, after: 10 },
  { what: 'while its files are read back', command: 'verify', time: 1, after: 4 },
  { what: 'right after the menu was renamed', command: 'menu', time: 1, after: null },
  { what: 'right after arming', command: 'arm', time: 2, after: null },
  { what: 'while the new system starts', command: 'restart', time: 2, after: 35 },
  { what: 'between the two writes of confirming', command: 'arm', time: 3, after: null },
]

/** Cuts the power at this moment, once, and switches the machine on again. `wasCut` says whether the moment came. */
function cutting(
  { vm }: MovingAgent,
  { command, time, after }: Moment,
): { readonly around: AroundCommand; readonly wasCut: () => boolean } {
  let seen = 0
  let wasCut = false
  return {
    wasCut: () => wasCut,
    async around(name, send) {
      if (name === command) seen += 1
      if (name !== command || seen !== time || wasCut) return send()
      const sending = send()
      if (after === null) await sending
      else await Promise.race([sending.catch(() => {}), sleep(after * 1000)])
      // An answer may come long before the machine has done what was asked: a restart, say.
      if (after !== null && name === 'restart') await sleep(after * 1000)
      wasCut = true
      await vm.cut()
      vm.powerOn()
      return sending
    },
  }
}

describe.skipIf(skip)('a power cut in the middle of a move', () => {
  const agent = movingAgent()
  let isBegun = false

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
      const { move, vm, volumes } = agent()
      const content = await volumes()
      const moving = move.go(isBegun ? 'resume' : 'apply')
      isBegun = true
      await sleep(seconds * 1000)
      await vm.cut()
      vm.powerOn()
      const { exit } = await ended(await moving)
      process.stderr.write(`cut after ${seconds} s: ${exit === 0 ? 'moved' : 'as before'}\n`)
      expect(await volumes()).toBe(content)
      await startOver(exit)
    },
    3_600_000,
  )

  test.each(moments)(
    'leaves k3OS or the new system, never neither: $what',
    async (moment) => {
      const { move, volumes, readyAfter } = agent()
      const content = await volumes()
      const { around, wasCut } = cutting(agent(), moment)
      const first = await move.go(isBegun ? 'resume' : 'apply', around)
      isBegun = true
      expect(wasCut()).toBe(true)
      const { exit } = await ended(first)
      const system = (await readyAfter('')).status.nodeInfo['osImage']
      process.stderr.write(`${moment.what}: exit ${first.exit}, then ${exit}, on ${system}\n`)
      expect(system).toMatch(exit === 0 ? /^Debian/ : /^k3OS/)
      expect(await volumes()).toBe(content)
      await startOver(exit)
    },
    3_600_000,
  )
})

function isEnd({ exit }: MoveEnd): boolean {
  return exit === exitCode.ok || exit === exitCode.rolledBack
}
