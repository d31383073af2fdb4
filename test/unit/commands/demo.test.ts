import { readdir, readFile } from 'node:fs/promises'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { demo } from '../../../src/commands/demo.ts'
import { exitCode } from '../../../src/core/errors.ts'
import { recordingIo } from '../../support/recording-io.ts'

let folder: string
let exit: number
let printed: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'demo-'))
  const io = recordingIo(folder)
  exit = await demo({ out: 'shops' }, io)
  printed = io.stdout()
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

describe('the demo', () => {
  it('ends well', () => {
    expect(exit).toBe(exitCode.ok)
  })

  it('says first that it is a simulation', () => {
    expect(printed.split('\n', 1)[0]).toContain('This is a simulation.')
  })

  it('writes its folder and nothing beside it', async () => {
    expect(await readdir(folder)).toEqual(['shops'])
  })

  it('leaves what it says it leaves', async () => {
    expect(await readdir(join(folder, 'shops'))).toEqual(
      expect.arrayContaining([
        'assessment.json',
        'bundles',
        'inventory.yaml',
        'plan.json',
        'report.html',
        'state',
        'translated',
      ]),
    )
  })

  it('moves all five machines', async () => {
    expect(await readFile(join(folder, 'shops/report.html'), 'utf8')).toContain('All 5 nodes moved')
  })
})
