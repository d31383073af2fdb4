import { fileURLToPath } from 'node:url'

// The same distance from `src/adapters` and from the chunks that the build makes, beside which it puts a copy.
const path = (name: string): string =>
  fileURLToPath(new URL(`../../templates/image/${name}`, import.meta.url))

/** Programs that run on the machine where a root tree is made of a disk image. */
export const imageScripts = { partitionTar: path('partition-tar.sh'), packages: path('packages.sh') }
