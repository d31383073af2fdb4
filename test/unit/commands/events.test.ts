import { mkdtemp, rm } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { resume } from '../../../src/commands/apply.ts'
import { eventSchema, type RunLine } from '../../../src/core/events.ts'
import { simulatedKube } from '../../../src/simulation/kube.ts'
import { simulatedHook, simulatedHost } from '../../../src/simulation/machines.ts'
import { exampleRun, type ExampleRun } from '../../support/example-run.ts'
import { recordingIo } from '../../support/recording-io.ts'

let folder: string
let run: ExampleRun
let lines: RunLine[]
let printed: string

const linesOf = (text: string): RunLine[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as RunLine)

/** One node in the first process, the rest in a second one. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'events-'))
  run = await exampleRun(folder, { next: true })
  const { world, plan } = run
  const kube = simulatedKube(world)
  const io = recordingIo(folder)
  await resume({ stateDir: 'state', output: 'jsonl', approvePlan: plan.digest }, io, {
    kube,
    reader: kube,
    host: simulatedHost(world),
    hook: simulatedHook(world, async (path) => readFileSync(path, 'utf8')),
    clock: world.clock,
  })
  lines = linesOf(readFileSync(join(run.directory, 'events.jsonl'), 'utf8'))
  printed = io.stdout()
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

describe('events of a run', () => {
  test('are each as the published schema says', () => {
    const wrong = lines.flatMap((line) => {
      const { error } = eventSchema.safeParse(line)
      return error === undefined ? [] : [[line, error.issues] as const]
    })
    expect(wrong).toEqual([])
  })

  test('are counted on by the next process', () => {
    expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, place) => place + 1))
  })

  test('begin with what writes them and end with what to do, in each process', () => {
    const ends = lines.filter(({ type }) => type === 'run.start' || type === 'run.end')
    expect(ends).toMatchObject([
      { type: 'run.start', seq: 1, data: { schema: 'k3os-migrate/v1 Event', command: 'apply' } },
      {
        type: 'run.end',
        data: { exit: 0, status: 'partial', next: expect.stringMatching(/^k3os-migrate resume /) },
      },
      { type: 'run.start', data: { command: 'resume', planDigest: run.plan.digest } },
      { type: 'run.end', seq: lines.length, data: { exit: 0, status: 'complete', next: null } },
    ])
  })

  test('say of each node when it began and that it is done', () => {
    const states = lines
      .filter((line) => line.type === 'node.state')
      .map(({ node, data }) => [node, data.state])
    expect(states).toEqual(
      run.plan.nodes.flatMap(({ name }) => [
        [name, 'started'],
        [name, 'done'],
      ]),
    )
  })

  test('say of each evicted pod that it was asked to go and that it went', () => {
    const news = lines.filter((line) => line.type === 'drain.pod')
    const evicted = news.filter(({ data }) => data.state === 'evicting').map(({ data }) => data.uid)
    const gone = news.filter(({ data }) => data.state === 'gone').map(({ data }) => data.uid)
    expect(evicted.length).toBeGreaterThan(0)
    expect(new Set(gone)).toEqual(new Set(evicted))
  })

  test('are what stdout shows with -o jsonl', () => {
    const second = lines.findLastIndex(({ type }) => type === 'run.start')
    expect(linesOf(printed)).toEqual(lines.slice(second))
  })
})
