import { join, resolve } from 'node:path'
import { isThere, writeNew } from '../adapters/files.ts'
import { exitCode, MigrateError } from '../core/errors.ts'
import type { CommandIo } from './io.ts'

const name = 'secrets.yaml'

export interface SecretsOptions {
  readonly withSecrets?: boolean | undefined
  readonly target?: string | undefined
  readonly compare?: boolean | undefined
  readonly explain?: string | undefined
  readonly out: string
}

/** Writes the secrets once everything else is written. */
export type WriteSecrets = () => Promise<void>

/**
 * What `--with-secrets` asks for; null when nobody did. Looks before anything is written: secrets that are there belong to a
 * cluster, and are never overwritten (exit 64).
 */
export async function talosSecrets(options: SecretsOptions, io: CommandIo): Promise<WriteSecrets | null> {
  const { withSecrets, target, compare, explain, out } = options
  if (withSecrets !== true) return null
  const usage = (message: string, hint: string): MigrateError =>
    new MigrateError(message, { exitCode: exitCode.usage, hint })
  if ((target !== 'talos' && target !== 'talos-1.13') || compare === true || explain !== undefined)
    throw usage(
      '--with-secrets is for --target talos: no other target begins a cluster of its own with files',
      'k3os-migrate translate --inventory inventory.yaml --target talos --with-secrets',
    )
  const shown = join(out, name)
  const path = resolve(io.cwd, shown)
  const there = (): MigrateError =>
    usage(
      `${shown} is there already, and the secrets of a cluster are never overwritten`,
      `leave out --with-secrets to go on with them, or begin another cluster: --out ${out}-2`,
    )
  if (await isThere(path)) throw there()
  return async () => {
    const { makeTalosSecrets } = await import('../adapters/talos-secrets.ts')
    const text = await makeTalosSecrets(new Date(), target === 'talos' ? '1.14' : '1.13')
    if (!(await writeNew(path, text, 0o600))) throw there()
    io.err(
      `the secrets of the new cluster are in ${shown}: who has them rules it; keep them, and use them once\n`,
    )
  }
}
