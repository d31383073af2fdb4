import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { programHook } from '../../../src/adapters/hook.ts'
import { exitCode } from '../../../src/core/errors.ts'

const never = new AbortController().signal

async function scratch(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'hook-'))
  onTestFinished(async () => {
    await rm(directory, { recursive: true })
  })
  return directory
}

async function runScript(script: string, signal: AbortSignal = never) {
  const output = join(await scratch(), 'hook.log')
  const lines: string[] = []
  const result = await programHook({ PATH: process.env['PATH'] }).run(
    ['sh', '-c', script, 'sh', 'a b', '$HOME'],
    {
      environment: { K3OS_MIGRATE_NODE: 'n1' },
      onLine: (line) => lines.push(line),
      output,
      signal,
    },
  )
  return { ...result, lines, output }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch {
    return false
  }
}

describe('a hook', () => {
  test('gets its arguments as they are and our variables', async () => {
    const { lines } = await runScript('echo "$1|$2|$K3OS_MIGRATE_NODE"')
    expect(lines).toEqual(['a b|$HOME|n1'])
  })

  test('cannot ask anything: its input is at its end', async () => {
    expect((await runScript('read answer || exit 3')).exitCode).toBe(3)
  })

  test('is heard on both streams, to the last unfinished line, in order', async () => {
    const { lines } = await runScript('echo one; echo two >&2; printf "three, Z\\303\\274rich"')
    expect(lines).toEqual(['one', 'two', 'three, Zürich'])
  })

  test('is heard while it runs', async () => {
    const directory = await scratch()
    const heard = join(directory, 'heard')
    const result = await programHook({ PATH: process.env['PATH'] }).run(
      ['sh', '-c', `echo go; until [ -e ${heard} ]; do sleep 0.1; done`],
      {
        environment: {},
        onLine: () => void writeFile(heard, ''),
        output: join(directory, 'log'),
        signal: AbortSignal.timeout(15_000),
      },
    )
    expect(result.exitCode).toBe(0)
  })

  test('that fails is quoted with its last five lines', async () => {
    const { exitCode: code, tail } = await runScript('seq 1 8; exit 4')
    expect([code, tail]).toEqual([4, '4 | 5 | 6 | 7 | 8'])
  })

  test('that died of a signal has no exit code', async () => {
    expect((await runScript('kill -9 $$')).exitCode).toBeNull()
  })

  test('that leaves a program behind has ended all the same', async () => {
    const { exitCode: code, lines } = await runScript('sleep 30 & echo $!')
    process.kill(Number(lines[0]))
    expect(code).toBe(0)
  })

  test('leaves no output file once it was heard', async () => {
    const { output } = await runScript('echo secret')
    expect(await exists(output)).toBe(false)
  })

  test('that does not exist is a mistake in the plan', async () => {
    const run = programHook({}).run(['/no/such/hook'], {
      environment: {},
      onLine: () => {},
      output: join(await scratch(), 'log'),
      signal: never,
    })
    await expect(run).rejects.toMatchObject({
      exitCode: exitCode.badInput,
      hint: expect.stringContaining('plan show'),
    })
  })

  test('is ended at its deadline with all it started', async () => {
    const stop = new AbortController()
    const directory = await scratch()
    const pidFile = join(directory, 'pid')
    const running = runScript(`sleep 60 & echo $! > ${pidFile}; wait`, stop.signal)
    while (!(await exists(pidFile)) || (await readFile(pidFile, 'utf8')) === '') await sleep(20)
    stop.abort()
    expect((await running).exitCode).toBeNull()
    const pid = Number(await readFile(pidFile, 'utf8'))
    await expect.poll(() => isRunning(pid)).toBe(false)
  })

  test('goes on to its end when the process that started it is killed', async () => {
    const directory = await scratch()
    const done = join(directory, 'done')
    const hook = fileURLToPath(new URL('../../../src/adapters/hook.ts', import.meta.url))
    const script = `echo started; sleep 1; echo a line more; echo end > ${done}`
    const options = `{ environment: {}, onLine: (line) => console.log(line), output: ${JSON.stringify(join(directory, 'log'))}, signal: new AbortController().signal }`
    const program = `const { programHook } = await import(${JSON.stringify(hook)})
      await programHook(process.env).run(['sh', '-ec', ${JSON.stringify(script)}], ${options})`
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    child.kill('SIGKILL')
    await expect.poll(async () => exists(done), { timeout: 10_000 }).toBe(true)
    expect(await readFile(join(directory, 'log'), 'utf8')).toContain('a line more')
  })
})

/** A process that has ended and was not yet waited for does not run. */
async function isRunning(pid: number): Promise<boolean> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z'
  } catch {
    return false
  }
}
