import { execFile, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import type { Scenario } from '../../src/simulation/scenario.ts'
import { makeDisk, type DiskOptions, type VmDisk } from './vm-disk.ts'
import { startVm, type Vm, type VmOptions } from './vm-machine.ts'
import { missingForVm } from './vm-qemu.ts'

export type { DiskOptions, VmDisk } from './vm-disk.ts'
export type { Vm, VmOptions } from './vm-machine.ts'
export { missingForVm } from './vm-qemu.ts'

/** Machines in QEMU, and the home of the person who reaches them. None of them outlives this process. */
export interface VmLab {
  readonly directory: string
  /** `HOME` of the person: nothing of the real one is used. */
  readonly home: string
  /** Private key that `rancher` is reached with. */
  readonly identityFile: string
  /** Trusts every machine started so far. */
  readonly knownHostsFile: string
  /** Disk of one machine of the scenario, as k3OS leaves it. */
  makeDisk(scenario: Scenario, name: string, options?: DiskOptions): Promise<VmDisk>
  /** A machine on a layer of its own above that disk, powered on. */
  start(disk: VmDisk, options?: VmOptions): Promise<Vm>
  /** Copies what the machines said on their serial consoles to where it stays; the folder. */
  keepConsoles(): string
  stop(): Promise<void>
}

export function startVmLab(): VmLab {
  const missing = missingForVm()
  if (missing !== undefined) throw new Error(missing)
  const directory = mkdtempSync(join(tmpdir(), 'k3os-vm-'))
  const home = join(directory, 'home')
  mkdirSync(join(home, '.ssh'), { recursive: true, mode: 0o700 })
  const identityFile = join(home, '.ssh', 'id_ed25519')
  const knownHostsFile = join(home, '.ssh', 'known_hosts')
  writeFileSync(knownHostsFile, '', { mode: 0o600 })
  const running = new Set<ChildProcess>()
  const consoles: string[] = []
  const deadlines: NodeJS.Timeout[] = []
  let identity: Promise<string> | undefined

  function endNow(): void {
    for (const child of running) child.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 })
  }
  process.once('exit', endNow)

  async function makeIdentity(): Promise<string> {
    const key = ['-q', '-t', 'ed25519', '-N', '', '-C', 'lab', '-f', identityFile]
    await promisify(execFile)('ssh-keygen', key)
    return readFileSync(`${identityFile}.pub`, 'utf8')
  }

  function keepConsoles(): string {
    const kept = mkdtempSync(join(tmpdir(), 'k3os-vm-console-'))
    for (const file of consoles) copyFileSync(file, join(kept, basename(file)))
    return kept
  }

  return {
    directory,
    home,
    identityFile,
    knownHostsFile,
    keepConsoles,
    async makeDisk(scenario, name, options) {
      const node = scenario.nodes.find((each) => each.name === name)
      if (node === undefined) throw new Error(`the scenario has no machine ${name}`)
      return makeDisk(directory, scenario, node, await (identity ??= makeIdentity()), options)
    },
    async start(disk, options = {}) {
      const prefix = join(directory, `${consoles.length + 1}-${disk.node.name}`)
      const consoleFile = `${prefix}.console.log`
      consoles.push(consoleFile)
      const { vm, deadline } = await startVm({
        disk,
        options,
        prefix,
        consoleFile,
        home,
        identityFile,
        knownHostsFile,
        running,
        keepConsoles,
      })
      deadlines.push(deadline)
      return vm
    },
    async stop() {
      process.removeListener('exit', endNow)
      for (const deadline of deadlines) clearTimeout(deadline)
      await Promise.all(
        [...running].map(async (child) => {
          const exited = once(child, 'exit')
          child.kill('SIGKILL')
          await exited
        }),
      )
      await rm(directory, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}
