import { exitCode, MigrateError } from '../core/errors.ts'
import type { Translator } from '../core/translation.ts'
import { besideTranslators, refusals, translators } from '../../translators/index.ts'

/** Systems that are no target, each with the reason. */
export function refusedTargets(): { readonly id: string; readonly reason: string }[] {
  return Object.entries(refusals).map(([id, { reason }]) => ({ id, reason }))
}

/** The translator of a target; exit 64 with the list of targets when there is none. */
export async function findTranslator(id: string): Promise<Translator> {
  const load = Object.hasOwn(translators, id) ? translators[id] : undefined
  if (load !== undefined) return load()
  const refusal = Object.hasOwn(refusals, id) ? refusals[id] : undefined
  throw new MigrateError(
    refusal === undefined
      ? `the target "${id}" is not supported`
      : `the target ${id} is not supported: ${refusal.reason}`,
    { exitCode: exitCode.usage, hint: `supported targets: ${Object.keys(translators).join(', ')}` },
  )
}

/** The translator of a target that can lie beside k3OS; exit 64 with the list of those when it cannot. */
export async function findBeside(id: string): Promise<Translator> {
  const load = Object.hasOwn(besideTranslators, id) ? besideTranslators[id] : undefined
  if (load !== undefined) return load()
  throw new MigrateError(`the target "${id}" cannot be put beside k3OS`, {
    exitCode: exitCode.usage,
    hint: `in place go: ${Object.keys(besideTranslators).join(', ')}`,
  })
}

/** Also one that refuses, value by value. */
export async function findTranslatorOrRefusal(id: string): Promise<Translator> {
  const refusal = Object.hasOwn(refusals, id) ? refusals[id] : undefined
  return refusal === undefined ? findTranslator(id) : refusal.load()
}

export async function everyTranslator(): Promise<Translator[]> {
  return Promise.all(Object.values(translators).map(async (load) => load()))
}
