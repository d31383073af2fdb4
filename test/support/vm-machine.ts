import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, copyFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePorts, labEnvironment, runToEnd, type CommandResult } from './lab-processes.ts'
import type { VmDisk } from './vm-disk.ts'
import { askMonitor, diskName, firmwareVariables, hasSshBanner, qemuArguments } from './vm-qemu.ts'

export interface VmOptions {
  /** Default: what the scenario says, but not more than 1024. */
  readonly memoryMib?: number
  readonly cores?: number
  /** Without one, a system that hangs stays so. */
  readonly watchdog?: boolean
  /** An empty file that gets a log of all writes to its disk; `flushPoints` reads it. */
  readonly writeLog?: string
  /** However the test goes on, the machine is ended after so long. Default: ten minutes. */
  readonly deadlineMs?: number
  /** Ports of the machine that are reached from here besides SSH. */
  readonly forward?: readonly number[]
}

export interface ConsoleLine {
  /** Since the machine was last switched on or reset from here. */
  readonly seconds: number
  readonly text: string
}

export interface SshOptions {
  readonly input?: string
  readonly user?: string
  /** What the command prints, as soon as it comes. */
  readonly onOutput?: (text: string) => void
}

export interface Vm {
  readonly name: string
  /** Where its sshd is reached. */
  readonly host: string
  readonly port: number
  /** Where another port of it is reached; asked for by `forward`. */
  forwarded(port: number): number
  readonly console: readonly ConsoleLine[]
  /** The first line from index `from` of `console` on that matches. Default: since the last power-on or reset from here. */
  waitForConsole(pattern: RegExp, timeoutMs: number, from?: number): Promise<ConsoleLine>
  /** Until an sshd sends its banner; seconds since power-on. */
  waitForSsh(timeoutMs: number): Promise<number>
  /** As `rancher`, or as whom it is told. */
  ssh(command: string, options?: SshOptions): Promise<CommandResult>
  /** The power goes off without a word. What the machine wrote is there, flushed or not. */
  cut(): Promise<void>
  /** The power goes off in the moment such a line appears. */
  cutAt(pattern: RegExp, timeoutMs: number): Promise<ConsoleLine>
  powerOn(): void
  /** The reset button. */
  reset(): Promise<void>
  isOn(): boolean
  /** Of a machine that is off: its disk as it is now, to start others from; it goes on above it. */
  snapshot(): Promise<VmDisk>
  /** Of a machine that runs, and goes on: its disk as it would be if the power went off now, to start others from. */
  freeze(): Promise<VmDisk>
}

/** What a machine gets from its lab. */
export interface VmPlace {
  readonly disk: VmDisk
  readonly options: VmOptions
  /** How its files begin. */
  readonly prefix: string
  readonly consoleFile: string
  readonly home: string
  readonly identityFile: string
  readonly knownHostsFile: string
  /** Every process of the lab that runs. */
  readonly running: Set<ChildProcess>
  keepConsoles(): string
}

export async function startVm(
  place: VmPlace,
): Promise<{ readonly vm: Vm; readonly deadline: NodeJS.Timeout }> {
  const { disk, options, prefix, consoleFile, running } = place
  const { name, machine } = disk.node
  const monitor = `${prefix}.qmp`
  const variables = disk.firmware === 'uefi' ? `${prefix}.variables` : undefined
  if (variables !== undefined) copyFileSync(firmwareVariables, variables)
  writeFileSync(consoleFile, '')
  let layers = 0
  let layer = await newLayer(disk)

  const wanted = [22, ...(options.forward ?? [])]
  const ports = await freePorts(...wanted.map(String))
  const forwards = wanted.map((port) => [port, Number(ports[String(port)])] as const)
  const port = Number(ports['22'])
  writeFileSync(place.knownHostsFile, `[127.0.0.1]:${port} ${disk.hostPublicKey}\n`, { flag: 'a' })

  const lines: ConsoleLine[] = []
  const listeners = new Set<() => void>()
  let child: ChildProcess | undefined
  /** Time and index of `lines` of the last power-on or reset. */
  let since = 0
  let first = 0

  function nextLayer(): string {
    layers += 1
    return `${prefix}-${layers}.qcow2`
  }

  async function newLayer(below: VmDisk): Promise<string> {
    const file = nextLayer()
    const backing = ['-b', below.file, '-F', below.format]
    await promisify(execFile)('qemu-img', ['create', '-q', '-f', 'qcow2', ...backing, file])
    return file
  }

  function begin(): void {
    since = performance.now()
    first = lines.length
  }

  function powerOn(): void {
    if (child !== undefined) throw new Error(`${name} is on`)
    begin()
    const args = qemuArguments({
      node: disk.node,
      layer,
      writeLog: options.writeLog,
      memoryMib: options.memoryMib ?? Math.min(machine.memoryMib, 1024),
      cores: options.cores ?? 2,
      watchdog: options.watchdog ?? true,
      variables,
      monitor,
      forwards,
    })
    // It ends with this process, however that ends.
    const started = spawn('setpriv', ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...args], {
      env: labEnvironment(dirname(prefix)),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child = started
    running.add(started)
    started.stdout.on('data', lineTaker())
    started.stderr.on('data', lineTaker())
    started.on('error', () => {})
    started.on('exit', () => {
      running.delete(started)
      if (child === started) child = undefined
      for (const listener of listeners) listener()
    })
  }

  function lineTaker(): (data: Buffer) => void {
    let open = ''
    return (data) => {
      const parts = (open + data.toString('latin1')).split('\n')
      open = parts.pop() ?? ''
      for (const part of parts) {
        const line = { seconds: secondsOn(), text: part.trimEnd() }
        lines.push(line)
        appendFileSync(consoleFile, `${line.seconds.toFixed(2).padStart(8)} ${line.text}\n`)
      }
      if (parts.length > 0) for (const listener of listeners) listener()
    }
  }

  function secondsOn(): number {
    return (performance.now() - since) / 1000
  }

  async function cut(): Promise<void> {
    if (child === undefined) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  function failure(what: string): Error {
    const last = lines.slice(-15).map(({ seconds, text }) => `${seconds.toFixed(1)} ${text}`)
    return new Error(`${name}: ${what}; its console is kept in ${place.keepConsoles()}\n${last.join('\n')}`)
  }

  async function waitForConsole(pattern: RegExp, timeoutMs: number, from = first): Promise<ConsoleLine> {
    let next = from
    const { promise, resolve, reject } = Promise.withResolvers<ConsoleLine>()
    const look = (): void => {
      for (; next < lines.length; next += 1) {
        const line = lines[next]
        if (line !== undefined && pattern.test(line.text)) resolve(line)
      }
      if (child === undefined) reject(failure(`it is off, and never said ${pattern}`))
    }
    const timer = setTimeout(() => {
      reject(failure(`it did not say ${pattern} within ${timeoutMs / 1000} s`))
    }, timeoutMs)
    listeners.add(look)
    look()
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      listeners.delete(look)
    }
  }

  const deadline = setTimeout(() => {
    appendFileSync(consoleFile, '# ended: its deadline is over\n')
    void cut()
  }, options.deadlineMs ?? 600_000)
  deadline.unref()
  powerOn()

  const vm: Vm = {
    name,
    host: '127.0.0.1',
    port,
    console: lines,
    powerOn,
    cut,
    waitForConsole,
    isOn: () => child !== undefined,
    forwarded(each) {
      const [, here] = forwards.find(([there]) => there === each) ?? []
      if (here === undefined) throw new Error(`port ${each} of ${name} is not forwarded`)
      return here
    },
    async cutAt(pattern, timeoutMs) {
      const cutNow = (): void => {
        if (lines.slice(first).some(({ text }) => pattern.test(text))) child?.kill('SIGKILL')
      }
      listeners.add(cutNow)
      try {
        const line = await waitForConsole(pattern, timeoutMs)
        await cut()
        return line
      } finally {
        listeners.delete(cutNow)
      }
    },
    async waitForSsh(timeoutMs) {
      const until = performance.now() + timeoutMs
      while (!(await hasSshBanner(port))) {
        if (child === undefined) throw failure('it is off, and its sshd never answered')
        if (performance.now() > until) throw failure(`no sshd answered within ${timeoutMs / 1000} s`)
        await sleep(300)
      }
      return secondsOn()
    },
    async ssh(command, { input = '', user = 'rancher', onOutput } = {}) {
      const settings = {
        IdentitiesOnly: 'yes',
        UserKnownHostsFile: place.knownHostsFile,
        GlobalKnownHostsFile: '/dev/null',
        StrictHostKeyChecking: 'yes',
        BatchMode: 'yes',
        // Dozens of seconds of silence are normal in a machine without a processor of its own.
        ConnectTimeout: '30',
        ServerAliveInterval: '30',
      }
      const flags = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`])
      const target = ['-i', place.identityFile, '-p', String(port), `${user}@127.0.0.1`]
      const args = ['-F', 'none', ...flags, ...target, command]
      return runToEnd('ssh', args, labEnvironment(place.home), input, onOutput)
    },
    async reset() {
      if (child === undefined) throw new Error(`${name} is off`)
      await askMonitor(monitor, 'system_reset')
      begin()
    },
    async freeze() {
      const frozen: VmDisk = { ...disk, file: layer, format: 'qcow2' }
      const next = nextLayer()
      const where = { device: diskName, 'snapshot-file': next, format: 'qcow2' }
      await askMonitor(monitor, 'blockdev-snapshot-sync', where)
      layer = next
      return frozen
    },
    async snapshot() {
      if (child !== undefined) throw new Error(`${name} is on`)
      const frozen: VmDisk = { ...disk, file: layer, format: 'qcow2' }
      layer = await newLayer(frozen)
      return frozen
    },
  }
  return { vm, deadline }
}
