import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface CommandResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Servers of the lab that share a folder, their working directory and home, and end together with it. */
export interface LabProcesses {
  /** Output goes to `NAME.log` in the folder. */
  start(name: string, binary: string, args: readonly string[]): ChildProcess
  /** Throws, with the end of its log, when one of them has ended by itself. */
  check(): void
  kill(child: ChildProcess): Promise<void>
  /** Ends them all and removes the folder. */
  stop(): Promise<void>
}

export function startProcesses(dir: string): LabProcesses {
  const running = new Map<ChildProcess, string>()

  function removeNow(): void {
    for (const child of running.keys()) child.kill('SIGKILL')
    rmSync(dir, { recursive: true, force: true, maxRetries: 3 })
  }
  // The servers end with this process however it ends; the folder is left behind only when it is killed.
  process.once('exit', removeNow)

  async function kill(child: ChildProcess): Promise<void> {
    running.delete(child)
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    // Nothing of theirs is kept, so there is nothing to finish.
    child.kill('SIGKILL')
    await exited
  }

  return {
    kill,
    start(name, binary, args) {
      const log = openSync(join(dir, `${name}.log`), 'a')
      const child = spawn(binary, args, {
        cwd: dir,
        env: { ...labEnvironment(dir), LAB_LIFELINE: 'stdin' },
        stdio: ['pipe', log, log],
      })
      closeSync(log)
      child.on('error', () => {})
      running.set(child, name)
      return child
    },
    check() {
      for (const [child, name] of running) {
        if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) continue
        const log = readFileSync(join(dir, `${name}.log`), 'utf8')
          .trim()
          .split('\n')
          .slice(-5)
          .join('\n')
        throw new Error(`${name} ended (${child.exitCode ?? child.signalCode ?? 'not started'}):\n${log}`)
      }
    },
    async stop() {
      process.removeListener('exit', removeNow)
      await Promise.all([...running.keys()].map(kill))
      await rm(dir, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

/** Programs of the lab see nothing of the person who runs them: no home, no kubeconfig, no proxy. */
export function labEnvironment(dir: string): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', HOME: dir, TMPDIR: dir }
}

/** Runs a program to its end; any exit code is a result. */
export async function runToEnd(
  binary: string,
  args: readonly string[],
  env: Record<string, string>,
  input: string,
  onOutput?: (text: string) => void,
): Promise<CommandResult> {
  const { promise, resolve, reject } = Promise.withResolvers<CommandResult>()
  const child = execFile(binary, args, { env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
    if (error !== null && typeof error.code !== 'number') reject(error)
    else resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
  })
  if (onOutput !== undefined) child.stdout?.on('data', onOutput)
  // A program that does not read its input closes the pipe early.
  child.stdin?.on('error', () => {})
  child.stdin?.end(input)
  return promise
}

/** Ports that were free a moment ago. All are held at the same time, so no two are the same. */
export async function freePorts<Name extends string>(
  ...names: readonly Name[]
): Promise<Record<Name, number>> {
  const held = names.map((name) => ({ name, server: createServer().listen(0, '127.0.0.1') }))
  await Promise.all(held.map(async ({ server }) => once(server, 'listening')))
  const ports = held.map(({ name, server }) => [name, (server.address() as AddressInfo).port] as const)
  await Promise.all(held.map(async ({ server }) => once(server.close(), 'close')))
  return Object.fromEntries(ports) as Record<Name, number>
}

/** Asks again and again until the answer is yes. */
export async function until(what: string, signal: AbortSignal, ask: () => Promise<boolean>): Promise<void> {
  while (!(await ask())) {
    if (signal.aborted) throw new Error(`gave up waiting until ${what}`, { cause: signal.reason })
    await sleep(100)
  }
}
