import type { Bundle } from './bundle.ts'
import { lookupFile } from './facts/lookup.ts'

/** Text of a file of a bundle; undefined when it is not there or could not be read. */
export function bundleText(bundle: Bundle, path: string): string | undefined {
  const file = lookupFile(bundle, path)
  return file.status === 'found' ? new TextDecoder().decode(file.value.bytes) : undefined
}
