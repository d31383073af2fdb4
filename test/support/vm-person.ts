import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
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
