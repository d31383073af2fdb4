import type { Bundle } from './bundle.ts'
import { lookupFile, lookupNames } from './facts/lookup.ts'
import type { NodeFiles } from './k3os/sources.ts'

/** The files of a bundle, for reading the node's configuration from it. */
export function bundleFiles(bundle: Bundle): NodeFiles {
  return {
    // oxlint-disable-next-line typescript/require-await -- the port is asynchronous for those who read a disk
    async read(path) {
      const file = lookupFile(bundle, path)
      if (file.status === 'found') return { file: path, bytes: file.value.bytes }
      return file.status === 'absent' ? undefined : { file: path, unreadable: file.reason }
    },
    // oxlint-disable-next-line typescript/require-await
    async list(path) {
      const names = lookupNames(bundle, path)
      if (names.status === 'found') return names.value
      return names.status === 'absent' ? undefined : { file: path, unreadable: names.reason }
    },
  }
}
