import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { sha256 } from '../../../src/adapters/files.ts'
import { readInventory, readNodeBundle } from '../../../src/commands/read-inventory.ts'
import { factsWith } from '../../support/golden-node.ts'

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

describe('what would not fit into memory', () => {
  test('aliases that stand for billions of values', async () => {
    const lines = Array.from(
      { length: 12 },
      (_, level) =>
        `l${level}: &l${level} [${Array(10)
          .fill(level === 0 ? 'x' : `*l${level - 1}`)
          .join(', ')}]`,
    )
    await expect(readInventory(await write(`${head}${lines.join('\n')}\n`))).rejects.toMatchObject({
      exitCode: 65,
      message: 'its anchors and aliases stand for more than they should',
    })
  })

  test('lists in lists without end', async () => {
    await expect(readInventory(await write('['.repeat(200_000)))).rejects.toMatchObject({ exitCode: 65 })
    const nested = Array.from({ length: 20_000 }, (_, level) => `${' '.repeat(level)}a:`).join('\n')
    await expect(readInventory(await write(nested))).rejects.toMatchObject({ exitCode: 65 })
  })

  test('a file without end', async () => {
    const before = process.memoryUsage().rss
    await expect(readInventory('/dev/zero')).rejects.toMatchObject({
      exitCode: 65,
      message: expect.stringContaining('more than 268435456 bytes'),
    })
    expect(process.memoryUsage().rss - before).toBeLessThan(600 * 2 ** 20)
  })
})

test('a field of another version of the tool is said to be one', async () => {
  const file = await write(`${head}${metadata.replace('0.1.0', '0.9.0')}cluster: null\nnodes: []\nmore: 1\n`)
  await expect(readInventory(file)).rejects.toMatchObject({
    message: expect.stringContaining('written by k3os-migrate 0.9.0'),
    hint: expect.stringContaining('use k3os-migrate 0.9.0'),
  })
})

describe('the bundle of a node', () => {
  const node = (file: string, digest = sha256('x')) => ({
    name: 'n1',
    address: null,
    status: 'read' as const,
    readAt: '2023-11-14T22:13:20Z',
    how: 'bundle n1.bundle',
    bundle: { file, sha256: digest },
    facts: factsWith({}),
  })

  test.each(['../n1.bundle', '/etc/shadow', 'bundles/../../n1.bundle'])(
    'is not looked for at %s',
    async (path) => {
      const file = await write(head)
      await expect(readNodeBundle(dirname(file), node(path))).rejects.toMatchObject({
        exitCode: 65,
        message: `the bundle ${path} does not lie beside the inventory`,
      })
    },
  )

  test('must be the one the inventory was made from', async () => {
    const file = await write(head)
    await expect(readNodeBundle(dirname(file), node('inventory.yaml'))).rejects.toMatchObject({
      exitCode: 65,
      message: 'the bundle inventory.yaml is not the one the inventory was made from',
    })
    await expect(readNodeBundle(dirname(file), node('n1.bundle'))).rejects.toMatchObject({
      exitCode: 74,
      message: 'there is no bundle n1.bundle beside the inventory',
    })
  })
})
