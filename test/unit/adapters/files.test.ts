import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { makeFolders, readIfPresent, runFiles, writeDurably } from '../../../src/adapters/files.ts'

async function scratch(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'files-'))
  onTestFinished(async () => {
    await rm(directory, { recursive: true })
  })
  return directory
}

test('a written file has the content and mode asked for, whatever the umask, and nothing else is left', async () => {
  const directory = await scratch()
  const before = process.umask(0o777)
  try {
    await writeDurably(join(directory, 'a'), 'one', 0o644)
  } finally {
    process.umask(before)
  }
  expect(await readFile(join(directory, 'a'), 'utf8')).toBe('one')
  expect((await stat(join(directory, 'a'))).mode & 0o777).toBe(0o644)
  expect(await readdir(directory)).toEqual(['a'])
})

test('made parents are private', async () => {
  const directory = await scratch()
  await writeDurably(join(directory, 'state', 'run', 'a'), 'one', 0o600)
  expect((await stat(join(directory, 'state'))).mode & 0o777).toBe(0o700)
  expect((await stat(join(directory, 'state', 'run'))).mode & 0o777).toBe(0o700)
})

test('a link at the destination is replaced, not followed', async () => {
  const directory = await scratch()
  await writeFile(join(directory, 'precious'), 'old')
  await symlink('precious', join(directory, 'a'))
  await writeDurably(join(directory, 'a'), 'new', 0o600)
  expect(await readFile(join(directory, 'precious'), 'utf8')).toBe('old')
})

test('when the write fails the old file stays and no temporary one is left', async () => {
  const directory = await scratch()
  await writeDurably(join(directory, 'a'), 'old', 0o600)
  await expect(
    writeDurably(join(directory, 'a'), 'new', 0o600, AbortSignal.abort(new Error('stopped'))),
  ).rejects.toThrow('stopped')
  expect(await readFile(join(directory, 'a'), 'utf8')).toBe('old')
  expect(await readdir(directory)).toEqual(['a'])
})

test('a failure names the file and the reason, with the exit code of disk errors', async () => {
  const directory = await scratch()
  await writeFile(join(directory, 'file'), '')
  const path = join(directory, 'file', 'a')
  await expect(writeDurably(path, '', 0o600)).rejects.toMatchObject({
    message: `cannot write ${path}: a file stands where a directory must be`,
    exitCode: 74,
  })
  await expect(readIfPresent(directory)).rejects.toMatchObject({
    message: `cannot read ${directory}: it is a directory`,
    exitCode: 74,
  })
})

test('a run reads back what it wrote, says undefined for what is not there, and removes folders', async () => {
  const files = runFiles(await scratch())
  await files.write('nodes/n1/seed', 'text', 0o600)
  expect(await files.read('nodes/n1/seed')).toBe('text')
  await files.remove('nodes')
  await files.remove('nodes')
  expect(await files.read('nodes/n1/seed')).toBeUndefined()
})

test('a run cannot leave its directory', async () => {
  const files = runFiles(await scratch())
  await expect(files.write('../escaped', '', 0o600)).rejects.toThrow(TypeError)
  await expect(files.read('/etc/passwd')).rejects.toThrow(TypeError)
  await expect(files.remove('.')).rejects.toThrow(TypeError)
})

test('folders are made with those above them, once', async () => {
  const folder = await scratch()
  const deep = join(folder, 'a', 'b', 'c')
  await makeFolders(deep, 0o700)
  await makeFolders(deep, 0o700)
  expect((await stat(deep)).mode & 0o777).toBe(0o700)
})

test('a folder that cannot be made where another one is fails, and does not wait for ever', async () => {
  await expect(makeFolders('/proc/k3os-migrate/x', 0o700)).rejects.toMatchObject({ code: 'ENOENT' })
})

test('a file in the place of a folder fails', async () => {
  const folder = await scratch()
  await writeFile(join(folder, 'file'), '')
  await expect(makeFolders(join(folder, 'file'), 0o700)).rejects.toMatchObject({ code: 'EEXIST' })
})
