import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { zstdDecompressSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { writeTree } from '../../../src/adapters/image/write-tree.ts'

const directory = mkdtempSync(join(tmpdir(), 'k3os-tree-'))
afterAll(() => {
  rmSync(directory, { recursive: true })
})

const long = `long/${'folder-'.repeat(20)}/${'name-'.repeat(20)}`
const contents = new Map([
  ['etc/motd', 'hello\n'],
  ['empty', ''],
  [long, 'x'.repeat(5000)],
])
const source = join(directory, 'source')
for (const [path, text] of contents) {
  mkdirSync(join(source, path, '..'), { recursive: true })
  writeFileSync(join(source, path), text)
}
chmodSync(join(source, 'empty'), 0o640)
linkSync(join(source, 'etc/motd'), join(source, 'motd-too'))
symlinkSync('etc/motd', join(source, 'link'))

const pack = (format: string): Buffer =>
  execFileSync('tar', ['-C', source, '--sort=name', `--format=${format}`, '-cf', '-', '.'])
const digest = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
/** Chunks of awkward sizes. */
const pieces = (bytes: Buffer, size: number): Readable =>
  Readable.from(
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
      bytes.subarray(at * size, (at + 1) * size),
    ),
  )

describe('writing a root tree', () => {
  test.each(['gnu', 'pax'])('names every file of a %s archive with its digest', async (format) => {
    const file = join(directory, `${format}.tar.zst`)
    const archive = pack(format)
    const tree = await writeTree(pieces(archive, 333), file, ['etc/motd'], () => undefined)
    const digests = Object.fromEntries(tree.files.map(({ path, sha256 }) => [path, sha256]))
    expect(digests).toEqual({
      ...Object.fromEntries([...contents].map(([path, text]) => [path, digest(text)])),
      'motd-too': digest('hello\n'),
    })
    expect([...tree.paths]).toEqual(expect.arrayContaining(['link', 'etc', long]))
    expect(tree.files.find(({ path }) => path === 'empty')).toMatchObject({ mode: '0640', bytes: 0 })
    expect([...tree.kept]).toEqual([['etc/motd', 'hello\n']])
    const written = readFileSync(file)
    expect([tree.bytes, tree.sha256]).toEqual([written.length, digest(written)])
    expect(zstdDecompressSync(written).equals(archive)).toBe(true)
  })

  test('leaves nothing behind when the archive is cut off', async () => {
    const file = join(directory, 'cut.tar.zst')
    await expect(
      writeTree(pieces(pack('gnu').subarray(0, 3000), 512), file, [], () => undefined),
    ).rejects.toThrow('it ends in the middle')
    expect([existsSync(file), existsSync(`${file}.partial`)]).toEqual([false, false])
  })

  test('leaves nothing behind when what is in it is refused', async () => {
    const file = join(directory, 'refused.tar.zst')
    const refuse = (): never => {
      throw new Error('refused')
    }
    await expect(writeTree(pieces(pack('gnu'), 4096), file, [], refuse)).rejects.toThrow('refused')
    expect(existsSync(file)).toBe(false)
  })

  test('refuses what is no archive', async () => {
    const noise = Buffer.alloc(2048, 'no archive ')
    await expect(writeTree(pieces(noise, 2048), join(directory, 'n'), [], () => undefined)).rejects.toThrow(
      'no header',
    )
  })
})
