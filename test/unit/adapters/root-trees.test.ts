import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { rootTrees } from '../../../src/adapters/image/root-trees.ts'
import { exitCode } from '../../../src/core/errors.ts'
import { tar } from '../../../src/core/tar.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'k3os-trees-'))
})
afterEach(() => {
  rmSync(directory, { recursive: true })
})
const { signal } = new AbortController()

function archive(content: string): Uint8Array {
  const entry = {
    path: 'vmlinuz',
    mode: 0o644,
    owner: '0:0' as const,
    content: new TextEncoder().encode(content),
  }
  return tar([entry])
}
const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')

test('a root tree is read once for all nodes, and again when it is another one', async () => {
  const file = join(directory, 'tree.tar')
  writeFileSync(file, archive('old'))
  const trees = rootTrees()
  const first = await trees.digests(file, signal)
  expect(first).toEqual({ sha256: sha256(archive('old')), lines: `${sha256('old')}  ./vmlinuz\n` })
  expect(await trees.digests(file, signal)).toBe(first)
  writeFileSync(file, archive('newer'))
  expect((await trees.digests(file, signal)).lines).toBe(`${sha256('newer')}  ./vmlinuz\n`)
})

test('a root tree that is not there is named', async () => {
  await expect(rootTrees().digests(join(directory, 'none.tar'), signal)).rejects.toMatchObject({
    exitCode: exitCode.io,
    message: expect.stringContaining('none.tar') as unknown,
  })
})
