import type { Bundle } from './bundle.ts'
import { lookupFile, lookupNames } from './facts/lookup.ts'
import type { UnreadableSource } from './k3os/config.ts'
import type { NodeFiles } from './k3os/sources.ts'

/** The files of a bundle, for reading the node's configuration from it. */
export function bundleFiles(bundle: Bundle): NodeFiles {
  return {
    // oxlint-disable-next-line typescript/require-await -- the port is asynchronous for those who read a disk
    async read(path) {
      const file = lookupFile(bundle, path)
      if (file.status === 'found') return { file: path, bytes: file.value.bytes }
      return file.status === 'absent' ? undefined : unreadable(path, file.reason)
    },
    // oxlint-disable-next-line typescript/require-await
    async list(path) {
      const names = lookupNames(bundle, path)
      if (names.status === 'found') return names.value
      return names.status === 'absent' ? undefined : unreadable(path, names.reason)
    },
  }
}

/** A directory is one on the node as well, and k3OS gives up on it; whatever else is missing only we could not read. */
function unreadable(file: string, reason: string): UnreadableSource {
  return { file, unreadable: reason, ...(reason !== 'it is a directory' && { unknown: true }) }
}
