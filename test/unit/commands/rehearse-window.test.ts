import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { rehearse } from '../../../src/commands/rehearse.ts'
import type { Rehearsal } from '../../../src/core/rehearsal.ts'
import { examplePlan } from '../../support/example-cluster.ts'
import { recordingIo } from '../../support/recording-io.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rehearse-window-'))
  await examplePlan(folder, { window: ['daily 22:00-01:00 UTC'] })
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

test('a rehearsal waits for maintenance windows and says for how long', async () => {
  const io = recordingIo(folder)
  const exit = await rehearse(
    { plan: 'plan.json', at: '2026-11-24T20:00:00Z', rebuild: 1_200_000, output: 'json' },
    io,
  )
  const { pauses, nodes } = JSON.parse(io.stdout()) as Rehearsal
  expect(exit).toBe(0)
  expect(pauses[0]).toMatchObject({ atMs: 0, untilMs: 2 * 3_600_000 })
  // No disk is written when fewer than the 108 minutes of the worst case are left before 01:00.
  for (const { steps } of nodes)
    for (const { id, startMs } of steps) {
      const minuteOfNight = (startMs / 60_000 - 120) % (24 * 60)
      expect(id !== 'reimage' || minuteOfNight <= 72).toBe(true)
    }
  expect(pauses.length).toBeGreaterThan(1)
})
