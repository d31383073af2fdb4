import { exitCode, MigrateError } from '../core/errors.ts'
import type { Translator } from '../core/translation.ts'
import { translators } from '../../translators/index.ts'

/** Targets that are asked for and have no translation, each with the reason. */
const refused: Readonly<Record<string, string>> = {
  bottlerocket: 'Bottlerocket runs its own Kubernetes and cannot run k3s',
}

/** Systems that are no target, each with the reason. */
export function refusedTargets(): { readonly id: string; readonly reason: string }[] {
  return Object.entries(refused).map(([id, reason]) => ({ id, reason }))
}

/** The translator of a target; exit 64 with the list of targets when there is none. */
export async function findTranslator(id: string): Promise<Translator> {
  const load = Object.hasOwn(translators, id) ? translators[id] : undefined
  if (load !== undefined) return load()
  const reason = Object.hasOwn(refused, id) ? refused[id] : undefined
  throw new MigrateError(
    reason === undefined
      ? `the target "${id}" is not supported`
      : `the target ${id} is not supported: ${reason}`,
    { exitCode: exitCode.usage, hint: `supported targets: ${Object.keys(translators).join(', ')}` },
  )
}
