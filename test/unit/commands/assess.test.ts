import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { assess, type AssessOptions } from '../../../src/commands/assess.ts'
import { assessmentSchema } from '../../../src/core/assessment.ts'
import { formatBundle } from '../../../src/core/bundle.ts'
import { nodeFacts } from '../../../src/core/facts.ts'
import type { ClusterFacts, Inventory } from '../../../src/core/inventory.ts'
import { yaml } from '../../../src/core/yaml-text.ts'
import { bundleOf, canaries, k3osNode } from '../../support/k3os-node.ts'
import { recordingIo, type RecordingIo } from '../../support/recording-io.ts'
import { cluster, inventory as inventoryOf, kubeNode } from '../core/assess/builders.ts'

let folder: string
let io: RecordingIo

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'assess-'))
  mkdirSync(join(folder, 'bundles'))
  io = recordingIo(folder)
})

afterEach(() => {
  rmSync(folder, { recursive: true })
})

type Changes = NonNullable<Parameters<typeof k3osNode>[0]>

/** The Node of that server, as the API tells it. */
const own = {
  systemUuid: 'uuid-of-s1',
  bootId: '',
  addresses: [{ type: 'InternalIP', address: '192.168.1.10' }],
}

/** Writes the inventory of one server, as `inventory` leaves it. */
function write(changes: Partial<ClusterFacts> = {}, files: Changes['files'] = {}): Inventory {
  const bundle = bundleOf(k3osNode({ files }))
  const text = formatBundle(bundle)
  writeFileSync(join(folder, 'bundles/s1.bundle'), text)
  const facts = { ...nodeFacts(bundle, { epochSeconds: 0 }), clockOffsetSeconds: 0, systemUuid: 'uuid-of-s1' }
  const document = inventoryOf(cluster({ nodes: [kubeNode('s1', own)], ...changes }), [
    {
      name: 's1',
      address: 's1.example',
      status: 'read',
      readAt: '2026-11-23T09:00:00Z',
      how: 'bundle s1.bundle',
      bundle: { file: 'bundles/s1.bundle', sha256: createHash('sha256').update(text).digest('hex') },
      facts,
    },
  ])
  writeFileSync(join(folder, 'inventory.yaml'), yaml(document))
  return document
}

async function run(changes: Partial<AssessOptions> = {}): Promise<number> {
  return assess({ inventory: 'inventory.yaml', failOn: 'never', output: 'json', ...changes }, io)
}

const stopping: Partial<ClusterFacts> = {
  nodes: [kubeNode('s1', { ...own, unschedulable: true })],
}

describe('the exit code', () => {
  test('is 0 when nothing stops a move, whatever else was found', async () => {
    write()
    expect([await run(), io.stdout().includes('PRE-SINGLE-SERVER')]).toEqual([0, true])
  })

  test('is 4 from --fail-on on', async () => {
    write()
    expect([await run({ failOn: 'high' }), await run({ failOn: 'low' })]).toEqual([4, 4])
  })

  test('is 3 with inhibitors, whatever --fail-on says', async () => {
    write(stopping)
    expect([await run(), await run({ failOn: 'low' })]).toEqual([3, 3])
  })

  test('is 0 again when they are waived', async () => {
    write(stopping)
    const waivers = [{ key: 'PRE-NODE-CORDONED:Node/s1', reason: 'we work on it', approvedBy: 'kim' }]
    writeFileSync(join(folder, 'waivers.yaml'), yaml(waivers))
    expect(await run({ waivers: 'waivers.yaml' })).toBe(0)
  })

  test('is 3 for a waiver without a reason', async () => {
    write(stopping)
    writeFileSync(
      join(folder, 'waivers.yaml'),
      yaml([{ key: 'PRE-NODE-CORDONED:Node/s1', approvedBy: 'kim' }]),
    )
    expect([await run({ waivers: 'waivers.yaml' }), io.stdout().includes('INV-WAIVER-INCOMPLETE')]).toEqual([
      3,
      true,
    ])
  })

  test('is 0 with an empty waivers file', async () => {
    write()
    writeFileSync(join(folder, 'waivers.yaml'), '# none yet\n')
    expect(await run({ waivers: 'waivers.yaml' })).toBe(0)
  })
})

describe('bundles', () => {
  test('that are gone leave the configuration unknown', async () => {
    write()
    rmSync(join(folder, 'bundles/s1.bundle'))
    expect(await run()).toBe(3)
    expect(io.stdout()).toContain('the k3OS configuration of s1 is not known: there is no bundle')
  })

  test('that were changed are not believed', async () => {
    write()
    writeFileSync(join(folder, 'bundles/s1.bundle'), 'k3os-migrate-bundle 1\nend 0\n')
    expect(await run()).toBe(3)
    expect(io.stdout()).toContain('is not the one the inventory was made from')
  })

  test('with a configuration k3OS rejects are inhibitors', async () => {
    write({}, { '/var/lib/rancher/k3os/config.yaml': 'k3os: {\n' })
    expect(await run()).toBe(3)
    expect(io.stdout()).toContain('k3OS rejects the configuration of s1 as a whole')
  })
})

test.each(['table', 'json', 'yaml', 'markdown'] as const)(
  '%s holds no secret of the nodes',
  async (output) => {
    const rejected = [
      `k3os:\n  token: {a: ${canaries.token}}\n`,
      `k3os:\n  password: ${canaries.password}\n\ttoken: [${canaries.token}\n`,
    ]
    for (const config of [undefined, ...rejected]) {
      write({}, config === undefined ? {} : { '/var/lib/rancher/k3os/config.yaml': config })
      await run({ output })
    }
    expect(io.stdout()).toContain('PRE-SINGLE-SERVER')
    expect(io.stdout()).toContain('INV-CONFIG-REJECTED')
    expect(`${io.stdout()}${io.stderr()}`).not.toContain('CANARY')
  },
)

test('JSON is the document the schema promises', async () => {
  write()
  await run()
  expect(() => assessmentSchema.parse(JSON.parse(io.stdout()))).not.toThrow()
})

test('--out writes the file and keeps stdout clean', async () => {
  write()
  await run({ out: 'made/assessment.json' })
  expect(io.stdout()).toBe('')
  expect(JSON.parse(readFileSync(join(folder, 'made/assessment.json'), 'utf8'))).toMatchObject({
    kind: 'Assessment',
  })
})

test.each([
  ['a missing inventory', {}, 74],
  ['an unknown target', { target: ['windows'] }, 64],
  ['a missing waivers file', { waivers: 'none.yaml' }, 74],
] as const)('%s is refused with the next command', async (name, options, exitCode) => {
  if (name !== 'a missing inventory') write()
  await expect(run(options)).rejects.toMatchObject({ exitCode, hint: expect.any(String) as string })
})

test('a waivers file of another form is refused without its text', async () => {
  write()
  writeFileSync(join(folder, 'waivers.yaml'), 'token: CANARY\n')
  const error: unknown = await run({ waivers: 'waivers.yaml' }).catch((reason: unknown) => reason)
  expect(error).toMatchObject({ exitCode: 65 })
  expect(String(error)).not.toContain('CANARY')
})
