import { createHmac } from 'node:crypto'
import { appendFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import {
  type HmacSha1,
  type KnownHost,
  knownHostLine,
  type OfferedKey,
  parseKnownHosts,
} from '../../core/known-hosts.ts'
import { diskError, makeFolders, readIfPresent } from '../files.ts'

export const hmacSha1: HmacSha1 = (key, text) => createHmac('sha1', key).update(text).digest()

/**
 * Reads the file each time it is asked, as keys are added meanwhile, and parses it when it has changed. A missing file knows
 * no host; one that cannot be read is an error (exit 74).
 */
export function knownHostsReader(file: string): () => Promise<readonly KnownHost[]> {
  let parsed: { readonly text: string; readonly hosts: readonly KnownHost[] } | undefined
  return async () => {
    const text = new TextDecoder().decode((await readIfPresent(file)) ?? new Uint8Array())
    if (parsed?.text !== text) parsed = { text, hosts: parseKnownHosts(text, file) }
    return parsed.hosts
  }
}

/** Adds the line of a key that a person accepted. */
export async function rememberHostKey(file: string, offered: OfferedKey): Promise<void> {
  const text = new TextDecoder().decode((await readIfPresent(file)) ?? new Uint8Array())
  // Somebody's editor may have left the last line open.
  const line = `${text === '' || text.endsWith('\n') ? '' : '\n'}${knownHostLine(offered)}`
  try {
    await makeFolders(dirname(file), 0o700)
    await appendFile(file, line, { mode: 0o600 })
  } catch (error) {
    throw diskError(`write ${file}`, error)
  }
}
