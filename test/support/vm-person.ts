import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { assess } from '../../src/commands/assess.ts'
import { inventory, type InventoryOptions } from '../../src/commands/inventory.ts'
import { recordingIo, type RecordingIo } from './recording-io.ts'
import type { Vm, VmLab } from './vm.ts'

/** What a person types to read machines of the lab: into a folder of its own. */
export async function takeInventory(
  lab: VmLab,
  machines: readonly Vm[],
  changes: Partial<InventoryOptions> = {},
): Promise<{ readonly io: RecordingIo; readonly exit: number; readonly cwd: string; readonly file: string }> {
  const cwd = mkdtempSync(join(lab.directory, 'person-'))
  const io = recordingIo(cwd, { env: { HOME: lab.home } })
  const exit = await inventory(
    {
      host: machines.map((vm) => `${vm.name}=${vm.host}:${vm.port}`),
      cluster: false,
      user: 'rancher',
      port: 22,
      parallel: 8,
      // Everything takes long without a processor of one's own.
      timeout: 180_000,
      out: 'inv',
      output: 'table',
      ...changes,
    },
    io,
  )
  return { io, exit, cwd, file: join(cwd, 'inv', 'inventory.yaml') }
}

/** Rules of what `assess` could not check, and of what speaks against moving; what could be better is not among them. */
export async function worstFindings(inventoryFile: string, cwd: string): Promise<readonly string[]> {
  const io = recordingIo(cwd)
  await assess({ inventory: inventoryFile, failOn: 'never', output: 'json' }, io)
  const { findings } = JSON.parse(io.stdout()) as {
    findings: readonly { readonly rule: string; readonly severity: string; readonly result: string }[]
  }
  const worst = findings.filter(
    ({ result, severity }) =>
      result === 'error' || (result === 'fail' && ['inhibitor', 'high'].includes(severity)),
  )
  return worst.map(({ rule }) => rule)
}
