import { exitCode, MigrateError } from '../errors.ts'

/**
 * GRUB's environment block: 1024 bytes, a first line, `name=value` lines, filled up with `#` (GNU GRUB
 * grub-core/lib/envblk.c). GRUB writes into the file's blocks without knowing the file system, so its size never changes.
 */

const size = 1024
const firstLine = '# GRUB Environment Block\n'
/** A disk writes one sector as a whole or not at all, so what must change at once stands in the first. */
const sectorSize = 512

export type GrubEnvironment = ReadonlyMap<string, string>

/** Exit 65 for anything that GRUB would not take for its block. */
export function readGrubEnvironment(bytes: Uint8Array): GrubEnvironment {
  const text = new TextDecoder('latin1').decode(bytes)
  if (bytes.length !== size || !text.startsWith(firstLine))
    throw new MigrateError('grubenv is not an environment block of GRUB: 1024 bytes with its first line', {
      exitCode: exitCode.badInput,
      hint: 'make a new one on the node: grub-editenv /boot/grub/grubenv create',
    })
  const variables = new Map<string, string>()
  for (const [, name = '', value = ''] of text
    .slice(firstLine.length)
    .matchAll(/([^#=\n][^=\n]*)=((?:\\[\s\S]|[^\\\n])*)\n|#[^\n]*\n?/g))
    if (name !== '') variables.set(name, value.replaceAll(/\\([\s\S])/g, '$1'))
  return variables
}

/** Variables of our own first: they must fit into the first sector (exit 65), as a torn write would arm half. */
export function writeGrubEnvironment(variables: GrubEnvironment): Uint8Array {
  const isOurs = (name: string): boolean => name === 'next_entry' || name === 'saved_entry'
  const line = ([name, value]: readonly [string, string]): string =>
    `${name}=${value.replaceAll(/[\\\n]/g, String.raw`\$&`)}\n`
  const all = [...variables]
  const ours =
    firstLine +
    all
      .filter(([name]) => isOurs(name))
      .map(line)
      .join('')
  const text =
    ours +
    all
      .filter(([name]) => !isOurs(name))
      .map(line)
      .join('')
  if (ours.length > sectorSize || text.length > size)
    throw new MigrateError('grubenv has no room for another entry', {
      exitCode: exitCode.badInput,
      hint: 'remove variables that nobody reads: grub-editenv /boot/grub/grubenv unset NAME',
    })
  return Uint8Array.from(text.padEnd(size, '#'), (char) => char.charCodeAt(0))
}

/** With these variables set; null removes. */
export function changedGrubEnvironment(
  bytes: Uint8Array,
  changes: Readonly<Record<string, string | null>>,
): Uint8Array {
  const variables = new Map(readGrubEnvironment(bytes))
  for (const [name, value] of Object.entries(changes))
    if (value === null) variables.delete(name)
    else variables.set(name, value)
  return writeGrubEnvironment(variables)
}
