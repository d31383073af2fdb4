import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { sha256 } from '../../src/adapters/files.ts'
import { apply, resume, type MovePorts } from '../../src/commands/apply.ts'
import { exitCode, MigrateError } from '../../src/core/errors.ts'
import { parseJournal, type JournalRecord } from '../../src/core/journal.ts'
import type { Plan } from '../../src/core/plan.ts'
import type { LeaseStore } from '../../src/migrate/ports.ts'
import { simulatedKube } from '../../src/simulation/kube.ts'
import { simulatedLease } from '../../src/simulation/lease.ts'
import { simulatedHook, simulatedHost } from '../../src/simulation/machines.ts'
import { examplePlan } from '../support/example-cluster.ts'
import { recordingIo } from '../support/recording-io.ts'
import { requirePart } from '../support/require-part.ts'
import { makeSmallDisk, smallDiskMissing, type SmallDisk } from '../support/small-disk.ts'

/** How many records the journal has when the disk becomes full: from the first gate to the uncordon. */
const moments = [2, 6, 10, 14, 18, 22, 26, 30, 36] as const

interface Stage {
  readonly folder: string
  readonly ports: MovePorts & { readonly lease: LeaseStore }
  readonly options: { readonly approvePlan: string; readonly stateDir: string; readonly output: 'table' }
  /** What was changed in the cluster, and how many records the journal had then. */
  readonly changes: { readonly what: string; readonly records: number }[]
  readonly journal: () => readonly JournalRecord[]
}

/** The bundled example, simulated, with its runs on a real file system. */
async function setUp(folder: string, stateDir: string): Promise<Stage> {
  const world = await examplePlan(folder, { maxAge: 90_000 })
  const { digest } = JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8')) as Plan
  const kube = simulatedKube(world)
  const changes: Stage['changes'] = []
  const journal = (): readonly JournalRecord[] => {
    const runs = join(stateDir, 'runs')
    const [run] = existsSync(runs) ? readdirSync(runs) : []
    const file = join(runs, run ?? '', 'journal.jsonl')
    return existsSync(file) ? parseJournal(readFileSync(file, 'utf8'), file, sha256).records : []
  }
  const change = (what: string) => void changes.push({ what, records: journal().length })
  return {
    folder,
    options: { approvePlan: digest, stateDir, output: 'table' },
    changes,
    journal,
    ports: {
      kube: {
        ...kube,
        async patchNode(name, ...how) {
          change(`patch ${name} ${JSON.stringify(how[0])}`)
          return kube.patchNode(name, ...how)
        },
        async evict(pod, ...how) {
          change(`evict ${pod.uid}`)
          return kube.evict(pod, ...how)
        },
      },
      reader: kube,
      host: simulatedHost(world),
      hook: simulatedHook(world, async (path) => readFile(path, 'utf8')),
      clock: world.clock,
      lease: simulatedLease(),
    },
  }
}

/** Moves one node; `atRecords` is called once, when the journal has that many. */
async function applyNext({ ports, options, folder, journal }: Stage, records = 0, act = () => {}) {
  let isDone = false
  const io = recordingIo(folder, {
    err() {
      if (isDone || journal().length < records) return
      isDone = true
      act()
    },
  })
  return apply({ ...options, plan: 'plan.json', next: true }, io, ports).catch((error: unknown) => error)
}

describe.skipIf(requirePart('TMPFS', smallDiskMissing()))('a disk that is full under the journal', () => {
  let disk: SmallDisk
  let undisturbed: Stage
  let stage: Stage
  const folders: string[] = []
  const folder = (): string => {
    const made = mkdtempSync(join(tmpdir(), 'disk-'))
    folders.push(made)
    return made
  }

  beforeAll(async () => {
    undisturbed = await setUp(folder(), folder())
    await applyNext(undisturbed)
  })
  beforeEach(async () => {
    disk = makeSmallDisk(2048)
    stage = await setUp(folder(), disk.path)
  })
  afterEach(() => {
    disk.remove()
  })
  afterAll(() => {
    for (const made of folders) rmSync(made, { recursive: true })
  })

  it('before anything is begun refuses, with nothing changed and the cluster free', async () => {
    disk.fill()
    const end = await applyNext(stage)
    expect(end).toMatchObject({ exitCode: exitCode.io, message: expect.stringContaining('the disk is full') })
    const lease = await stage.ports.lease.read(new AbortController().signal)
    expect([stage.changes, lease?.holder]).toEqual([[], null])
  })

  it.each(moments)(
    'at record %i ends with 74, changes nothing that is not written down, and is gone on with when there is room',
    async (records) => {
      const end = await applyNext(stage, records, () => disk.fill())
      const recordsThen = stage.journal()
      // The same record makes the same changes possible, and not one more: not even an undo.
      const possible = undisturbed.changes.filter((change) => change.records <= recordsThen.length)
      const extra = stage.changes.length - possible.length
      expect([
        end instanceof MigrateError && end.exitCode,
        recordsThen.length < undisturbed.journal().length,
        extra <= 0,
      ]).toEqual([exitCode.io, true, true])

      disk.empty()
      expect(await resume({ ...stage.options, next: true }, recordingIo(stage.folder), stage.ports)).toBe(
        exitCode.ok,
      )
      expect(stage.journal().slice(0, recordsThen.length)).toEqual(recordsThen)
      const twice = stage.changes
        .map(({ what }) => what)
        .filter((what, index, all) => all.indexOf(what) < index)
      expect(twice).toEqual([])
    },
  )
})
