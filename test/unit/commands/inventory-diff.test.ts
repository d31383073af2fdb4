import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { inventoryDiff } from '../../../src/commands/inventory-diff.ts'
import { yaml } from '../../../src/core/yaml-text.ts'
import { recordingIo } from '../../support/recording-io.ts'
import { cluster, inventory, machine } from '../core/assess/builders.ts'

async function folder(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'diff-'))
  onTestFinished(async () => {
    await rm(directory, { recursive: true })
  })
  await writeFile(join(directory, 'a.yaml'), yaml(inventory()))
  const changed = inventory(cluster(), [machine('s1', { markers: ['takeover'] }), machine('a1')])
  await writeFile(join(directory, 'b.yaml'), yaml(changed))
  return directory
}

test('a table for people, exit 5 when anything changed', async () => {
  const io = recordingIo(await folder())
  expect(await inventoryDiff({ before: 'a.yaml', after: 'b.yaml', output: 'table' }, io)).toBe(5)
  expect(io.stdout()).toBe(
    'NODE  WHAT               BEFORE  AFTER\ns1    markers[takeover]  -       takeover\n',
  )
})

test('equal ones print nothing on stdout, exit 0', async () => {
  const io = recordingIo(await folder())
  expect(await inventoryDiff({ before: 'a.yaml', after: 'a.yaml', output: 'table' }, io)).toBe(0)
  expect(io.stdout()).toBe('')
  expect(io.stderr()).toContain('nothing changed')
})

test('JSON has every key, whatever changed', async () => {
  const io = recordingIo(await folder())
  await inventoryDiff({ before: 'a.yaml', after: 'a.yaml', output: 'json' }, io)
  expect(JSON.parse(io.stdout())).toMatchObject({
    kind: 'InventoryDiff',
    before: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    nodes: { added: [], removed: [], changed: [] },
    cluster: [],
  })
})

test('a missing file is said to be missing', async () => {
  const io = recordingIo(await folder())
  const promise = inventoryDiff({ before: 'none.yaml', after: 'a.yaml', output: 'table' }, io)
  await expect(promise).rejects.toMatchObject({ exitCode: 74 })
})
