import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHash } from 'node:crypto'
import { describe, expect, onTestFinished, test } from 'vitest'
import { findRun, newRunId, openJournal, stateDirectory } from '../../../src/adapters/run-directory.ts'
import { lockRun } from '../../../src/adapters/run-lock.ts'
import { exitCode } from '../../../src/core/errors.ts'
import { chain } from '../../../src/core/journal.ts'

async function scratch(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'run-'))
  onTestFinished(async () => {
    await rm(directory, { recursive: true })
  })
  return directory
}

const locked = { exitCode: exitCode.locked, hint: expect.stringContaining('rm ') }
const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()

describe('the lock of a run', () => {
  test('keeps a second owner away', async () => {
    const directory = await scratch()
    await lockRun(directory)
    await expect(lockRun(directory)).rejects.toMatchObject(locked)
  })

  test('is free again once it is given back', async () => {
    const directory = await scratch()
    const unlock = await lockRun(directory)
    await unlock()
    await (
      await lockRun(directory)
    )()
    expect(await readdir(directory)).toEqual([])
  })

  test('of a process that was killed is taken over', async () => {
    const directory = await scratch()
    const child = spawn('sleep', ['60'])
    await writeFile(join(directory, 'lock'), `${child.pid} - ${bootId}\n`)
    child.kill('SIGKILL')
    await once(child, 'exit')
    await lockRun(directory)
    expect(await readFile(join(directory, 'lock'), 'utf8')).toMatch(new RegExp(`^${process.pid} `))
  })

  test('of a process that has ended, and that nobody has asked how, is taken over', async () => {
    const directory = await scratch()
    // What the shell becomes does not wait for what the shell has started.
    const parent = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    onTestFinished(() => void parent.kill('SIGKILL'))
    const [said] = (await once(parent.stdout, 'data')) as [Buffer]
    const pid = said.toString().trim()
    await expect.poll(async () => readFile(`/proc/${pid}/stat`, 'utf8')).toContain(') Z ')
    await writeFile(join(directory, 'lock'), `${pid} - ${bootId}\n`)
    await expect(lockRun(directory)).resolves.toBeTypeOf('function')
  })

  test('of a process that lives is kept', async () => {
    const directory = await scratch()
    const child = spawn('sleep', ['60'])
    onTestFinished(() => void child.kill('SIGKILL'))
    await writeFile(join(directory, 'lock'), `${child.pid} - ${bootId}\n`)
    await expect(lockRun(directory)).rejects.toMatchObject(locked)
  })

  test('of a process whose number another one has now is taken over', async () => {
    const directory = await scratch()
    await writeFile(join(directory, 'lock'), `${process.pid} 1 ${bootId}\n`)
    await expect(lockRun(directory)).resolves.toBeTypeOf('function')
  })

  test('of another boot is taken over, whoever has the number now', async () => {
    const directory = await scratch()
    await writeFile(join(directory, 'lock'), `${process.pid} - another-boot\n`)
    await expect(lockRun(directory)).resolves.toBeTypeOf('function')
  })

  test.each(['', 'nonsense\n', '123'])('that cannot be read (%j) counts as locked', async (content) => {
    const directory = await scratch()
    await writeFile(join(directory, 'lock'), content)
    await expect(lockRun(directory)).rejects.toMatchObject(locked)
  })

  test('of a dead owner is taken over by one of many who find it', async () => {
    const directory = await scratch()
    await writeFile(join(directory, 'lock'), `1 - another-boot\n`)
    const all = await Promise.allSettled(Array.from({ length: 20 }, async () => lockRun(directory)))
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })
})

describe('the journal of a run', () => {
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
  const record = (last?: ReturnType<typeof chain>) =>
    chain(
      last,
      { ts: 't', monotonicMs: 0, runId: 'r', node: null, step: 'run', phase: 'note', attempt: 0, data: {} },
      sha256,
    )

  test('is private', async () => {
    const directory = join(await scratch(), 'runs', 'r')
    await (await openJournal(directory)).close()
    const modes = [directory, join(directory, 'journal.jsonl')].map(
      async (path) => (await stat(path)).mode & 0o777,
    )
    expect(await Promise.all(modes)).toEqual([0o700, 0o600])
  })

  test('loses the torn end of a crash before anything is written behind it', async () => {
    const directory = await scratch()
    const file = join(directory, 'journal.jsonl')
    const first = record()
    await writeFile(file, `${JSON.stringify(first)}\n{"v":1,"seq":2,"ts":"Zü`)
    const journal = await openJournal(directory)
    expect(journal.reading).toMatchObject({ torn: true, records: [first] })
    const second = record(first)
    await journal.append(`${JSON.stringify(second)}\n`)
    await journal.close()
    const again = await openJournal(directory)
    await again.close()
    expect(again.reading).toMatchObject({ torn: false, records: [first, second] })
  })

  test('that somebody changed gives the lock back', async () => {
    const directory = await scratch()
    const text = `${JSON.stringify({ ...record(), monotonicMs: 1 })}\n${JSON.stringify(record())}\n`
    await writeFile(join(directory, 'journal.jsonl'), text)
    await expect(openJournal(directory)).rejects.toMatchObject({ exitCode: exitCode.stalePlan })
    expect(await readdir(directory)).toEqual(['journal.jsonl'])
  })

  test('on a full disk ends with 74, and takes nothing behind half a line', async () => {
    const directory = await scratch()
    const journal = await openJournal(directory)
    // Every line behind the first is refused as by a full disk: the file cannot be written any more.
    await journal.append(`${JSON.stringify(record())}\n`)
    await journal.close()
    await expect(journal.append('x\n')).rejects.toMatchObject({ exitCode: exitCode.io })
    await expect(journal.append('x\n')).rejects.toThrow('takes no more records')
  })
})

describe('run ids', () => {
  const random = '0123456789abcdef0123'

  test('are UUIDs of version 7', () => {
    expect(newRunId(Date.parse('2026-11-24T08:00:00Z'), random)).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    )
  })

  test('carry their time', () => {
    const time = Date.parse('2026-11-24T08:00:00.123Z')
    expect(Number.parseInt(newRunId(time, random).replaceAll('-', '').slice(0, 12), 16)).toBe(time)
  })

  test('sort by time', () => {
    const ids = [1, 2, 300, 70_000, Date.now()].map((time, place) =>
      newRunId(time, random.replace('0', String(9 - place))),
    )
    expect(ids.toSorted()).toEqual(ids)
  })
})

describe('the run that is meant', () => {
  test('is the newest when nothing is said', async () => {
    const state = await scratch()
    for (const id of ['b', 'a', 'c']) await mkdir(join(state, 'runs', id), { recursive: true })
    expect(await findRun(state, undefined)).toBe(join(state, 'runs', 'c'))
  })

  test('is told from one that does not exist, with those that do', async () => {
    const state = await scratch()
    await mkdir(join(state, 'runs', 'a'), { recursive: true })
    await expect(findRun(state, 'x')).rejects.toMatchObject({ exitCode: exitCode.usage, hint: 'it has a' })
  })

  test.each([
    [{ HOME: '/home/me' }, undefined, '/home/me/.local/state/k3os-migrate'],
    [{ HOME: '/home/me', XDG_STATE_HOME: '/state' }, undefined, '/state/k3os-migrate'],
    [{ XDG_STATE_HOME: '/state', K3OS_MIGRATE_STATE_DIR: '/mine' }, undefined, '/mine'],
    [{ K3OS_MIGRATE_STATE_DIR: '/mine' }, 'flag', 'flag'],
  ])('is kept where environment %j and flag %j say', (env, flag, expected) => {
    expect(stateDirectory(env, flag)).toBe(expected)
  })
})
