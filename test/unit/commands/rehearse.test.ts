import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rehearse, type RehearseOptions } from '../../../src/commands/rehearse.ts'
import { exitCode, type ExitCode } from '../../../src/core/errors.ts'
import type { Rehearsal } from '../../../src/core/rehearsal.ts'
import { examplePlan } from '../../support/example-cluster.ts'
import { recordingIo } from '../../support/recording-io.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rehearse-'))
  await examplePlan(folder)
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

async function rehearsed(
  options: Partial<RehearseOptions> = {},
): Promise<{ exit: ExitCode; document: Rehearsal; stderr: string }> {
  const io = recordingIo(folder)
  const at = '2026-11-24T09:00:00Z'
  const exit = await rehearse({ plan: 'plan.json', at, ...options, output: 'json' }, io)
  return { exit, document: JSON.parse(io.stdout()) as Rehearsal, stderr: io.stderr() }
}

const states = ({ nodes }: Rehearsal) => nodes.map(({ name, state }) => `${name} ${state}`)

describe('a rehearsal', () => {
  it('moves the cluster of the inventory as a run would, and says that it was none', async () => {
    const { exit, document, stderr } = await rehearsed()
    expect(exit).toBe(exitCode.ok)
    expect(states(document)).toEqual([
      'shop-1 moved',
      'shop-3 moved',
      'shop-2 moved',
      'shop-4 moved',
      'office-1 moved',
    ])
    expect(stderr).toContain('no cluster was asked, no machine was touched')
  })

  it('tells which evictions a budget held up, and for how long', async () => {
    const { document } = await rehearsed()
    expect(document.held).toMatchObject([
      { node: 'shop-3', budget: 'shops/web', acceptedMs: expect.any(Number) },
    ])
  })

  it('says the same every time', async () => {
    const [one, two] = [await rehearsed(), await rehearsed()]
    expect(one.document).toEqual(two.document)
  })

  it('takes the time that the hook takes', async () => {
    const [short, long] = [await rehearsed(), await rehearsed({ rebuild: 1_200_000 })]
    const more = long.document.tookMs - short.document.tookMs
    // Five nodes, each 990 s longer.
    expect(Math.round(more / 60_000)).toBe(Math.round((5 * 990) / 60))
  })

  it('writes nothing', async () => {
    const before = await readdir(folder, { recursive: true })
    await rehearsed()
    expect(await readdir(folder, { recursive: true })).toEqual(before)
  })

  it('writes a page without scripts where it is told to', async () => {
    await rehearsed({ out: 'out/rehearsal.html' })
    const page = await readFile(join(folder, 'out/rehearsal.html'), 'utf8')
    expect(page).toMatch(/<svg\s+class="chart"/)
    expect(page).not.toMatch(/<script|https?:\/\//)
    await rm(join(folder, 'out'), { recursive: true })
  })

  it('is refused for an inventory that the plan was not made from', async () => {
    const other = await mkdtemp(join(tmpdir(), 'rehearse-'))
    try {
      await cp(folder, other, { recursive: true })
      const text = await readFile(join(other, 'inventory.yaml'), 'utf8')
      await writeFile(join(other, 'inventory.yaml'), `${text}\n`)
      await expect(rehearse({ plan: 'plan.json', output: 'json' }, recordingIo(other))).rejects.toMatchObject(
        { exitCode: exitCode.stalePlan },
      )
    } finally {
      await rm(other, { recursive: true, force: true })
    }
  })
})

describe('a rehearsed fault', () => {
  it.each<[string, ExitCode, string, RegExp]>([
    ['drain-blocked=shops/web', exitCode.blocked, 'shop-1 as before', /shops\/web/],
    ['hook-refuses=shop-3', exitCode.rolledBack, 'shop-3 as before', /changed nothing/],
    [
      'hook-fails=shop-3',
      exitCode.needsOperator,
      'shop-3 needs a person',
      /nobody can say what is on the disk/,
    ],
    [
      'node-does-not-return=shop-2',
      exitCode.needsOperator,
      'shop-2 needs a person',
      /does not answer over SSH/,
    ],
    ['data-lost=shop-4', exitCode.postCheckFailed, 'shop-4 needs a person', /data is not what it was/],
    ['node-turns-sick=shop-1', exitCode.postCheckFailed, 'shop-1 needs a person', /does not stay well/],
  ])('%s stops the run with %i: %s', async (fault, code, state, reason) => {
    const { exit, document } = await rehearsed({ fault: [fault] })
    expect(exit).toBe(code)
    expect(states(document)).toContain(state)
    expect(document.reason).toMatch(reason)
    expect(states(document)).toContain('office-1 not begun')
  })

  it.each(['api-429', 'api-down=120', 'api-down=4m'])('%s is borne', async (fault) => {
    const { exit, document } = await rehearsed({ fault: [fault] })
    expect(exit).toBe(exitCode.ok)
    const usual = (await rehearsed()).document
    expect(document.tookMs).toBeGreaterThan(usual.tookMs)
  })

  it.each([
    ['flood', 'is not a fault that can be rehearsed'],
    ['api-down', 'is not a fault that can be rehearsed'],
    ['hook-fails=', 'is not a fault that can be rehearsed'],
    ['drain-blocked=web', 'is not a fault that can be rehearsed'],
    ['hook-fails=nobody', 'the inventory has no node nobody to go wrong'],
    ['drain-blocked=shops/none', 'the inventory has no disruption budget shops/none to go wrong'],
  ])('%s is refused', async (fault, message) => {
    await expect(rehearsed({ fault: [fault] })).rejects.toMatchObject({
      exitCode: exitCode.usage,
      message: expect.stringContaining(message),
    })
  })
})
