import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readInventory } from '../../../src/commands/read-inventory.ts'

const head = 'apiVersion: k3os-migrate/v1\nkind: Inventory\n'
const metadata = 'metadata: {createdAt: "2023-11-14T22:13:20Z", toolVersion: 0.1.0}\n'

async function write(text: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'inventory-'))
  onTestFinished(async () => {
    await rm(directory, { recursive: true })
  })
  await writeFile(join(directory, 'inventory.yaml'), text)
  return join(directory, 'inventory.yaml')
}

test('an inventory is read', async () => {
  const file = await write(`${head}${metadata}cluster: null\nnodes: []\n`)
  expect(await readInventory(file)).toMatchObject({ cluster: null, nodes: [] })
})

test.each([
  ['a list', '[]', /^it is no document of k3os-migrate$/],
  ['another kind', 'apiVersion: k3os-migrate/v1\nkind: Plan\n', /^it is of kind Plan$/],
  [
    'a newer version',
    'apiVersion: k3os-migrate/v9\nkind: Inventory\nmetadata: {toolVersion: 9.1.0}\n',
    /^it has the version k3os-migrate\/v9, written by k3os-migrate 9\.1\.0$/,
  ],
  [
    'a bad field',
    `${head}${metadata}cluster: null\nnodes: [{name: n1, address: null, status: error, reason: 5}]\n`,
    /^nodes\.0\.reason: /,
  ],
  ['an unknown field', `${head}${metadata}cluster: null\nnodes: []\nmore: 1\n`, /more/],
  ['no YAML', 'a: [CANARY', /^it is not YAML$/],
])('%s is refused with the file', async (_name, text, message) => {
  const file = await write(text)
  await expect(readInventory(file)).rejects.toMatchObject({
    exitCode: 65,
    position: { file },
    message: expect.stringMatching(message),
    hint: expect.any(String),
  })
})

test('a missing file is said to be missing', async () => {
  await expect(readInventory('/none/inventory.yaml')).rejects.toMatchObject({
    exitCode: 74,
    message: 'cannot read /none/inventory.yaml: it does not exist',
  })
})
