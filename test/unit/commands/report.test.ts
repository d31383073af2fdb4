import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { report } from '../../../src/commands/report.ts'
import { yaml } from '../../../src/core/yaml-text.ts'
import { recordingIo, type RecordingIo } from '../../support/recording-io.ts'
import { stoppedRun } from '../output/report/builders.ts'

let folder: string
let io: RecordingIo
const run = 'state/runs/run-1'

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'report-'))
  io = recordingIo(folder)
  const { outcome, journal, plan, inventory, assessment } = stoppedRun()
  mkdirSync(join(folder, run), { recursive: true })
  write('outcome.json', JSON.stringify(outcome))
  write('journal.jsonl', journal.records.map((record) => `${JSON.stringify(record)}\n`).join(''))
  write('plan.json', JSON.stringify(plan))
  write('inventory.yaml', yaml(inventory))
  write('assessment.json', JSON.stringify(assessment))
})

afterEach(() => {
  rmSync(folder, { recursive: true })
})

function write(file: string, text: string): void {
  writeFileSync(join(folder, run, file), text)
}

test('the newest run of the state directory, relative to the working directory', async () => {
  expect(await report({ stateDir: 'state', output: 'markdown' }, io)).toBe(0)
  expect(io.stdout()).toContain('# 1 of 3 nodes moved.')
})

test('a run by its directory, into a file', async () => {
  expect(await report({ run: `./${run}`, stateDir: 'none', output: 'html', out: 'report.html' }, io)).toBe(0)
  expect(readFileSync(join(folder, 'report.html'), 'utf8')).toMatch(/^<!doctype html>/i)
  expect(io.stdout()).toBe('')
})

test('what is missing is said in the report and beside it', async () => {
  rmSync(join(folder, run, 'assessment.json'))
  await report({ stateDir: 'state', output: 'markdown' }, io)
  expect(io.stdout()).toContain('Not in the run directory, and so not in this report: assessment.json.')
  expect(io.stderr()).toContain('assessment.json')
})

test('an inventory that is not the one of the plan is said', async () => {
  await report({ stateDir: 'state', output: 'markdown' }, io)
  expect(io.stdout()).toContain('(not the one the plan was made from)')
})

describe('what cannot be reported is refused:', () => {
  test.each([
    ['outcome.json', 74, /has no outcome\.json: the run has not ended/],
    ['journal.jsonl', 74, /has no journal\.jsonl/],
  ])('a run without %s', async (file, exitCode, message) => {
    rmSync(join(folder, run, file))
    const error: unknown = await report({ stateDir: 'state', output: 'html' }, io).catch(
      (reason: unknown) => reason,
    )
    expect(error).toMatchObject({ exitCode, hint: expect.stringContaining('k3os-migrate') as string })
    expect(String(error)).toMatch(message)
  })

  test('a journal that was changed', async () => {
    const text = readFileSync(join(folder, run, 'journal.jsonl'), 'utf8')
    write('journal.jsonl', text.replace('"outcome":"failed"', '"outcome":"done"'))
    await expect(report({ stateDir: 'state', output: 'html' }, io)).rejects.toMatchObject({ exitCode: 5 })
  })

  test('a plan that is none', async () => {
    write('plan.json', '{"kind":"Plan"}')
    await expect(report({ stateDir: 'state', output: 'html' }, io)).rejects.toMatchObject({ exitCode: 65 })
  })
})
