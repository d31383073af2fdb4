import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * A folder of the reference collection that may lie beside the project (`../shared`), or undefined in a clone that has
 * none. Suites that compare against it skip with a visible line then; own cases in `test/golden` cover the same behaviour.
 */
export function sharedDir(folder: string): string | undefined {
  const path = fileURLToPath(new URL(`../../../shared/${folder}`, import.meta.url))
  return existsSync(path) ? path : undefined
}
