import { stringify } from 'yaml'
import type { NodeFacts } from '../../src/core/inventory.ts'
import { utf8Encode } from '../../src/core/k3os/bytes.ts'
import { hex, sha256 } from '../../src/core/sha256.ts'

/** What goes into the image: kernel arguments and extensions cannot come from the configuration. */
export interface Schematic {
  readonly overlay?: { readonly image: string; readonly name: string }
  readonly extraKernelArgs?: readonly string[]
  readonly extensions?: readonly string[]
  readonly meta?: readonly { readonly key: number; readonly value: string }[]
}

/**
 * The canonical text, which is what the factory hashes: fixed order, nothing empty but `customization`, four spaces, items
 * indented below their key (siderolabs/image-factory pkg/schematic/schematic.go).
 */
export function schematicText({ overlay, extraKernelArgs, extensions, meta }: Schematic): string {
  const filled = (list: readonly unknown[] | undefined): boolean => list !== undefined && list.length > 0
  const customization = {
    ...(filled(extraKernelArgs) ? { extraKernelArgs } : {}),
    ...(filled(meta) ? { meta } : {}),
    ...(filled(extensions) ? { systemExtensions: { officialExtensions: extensions } } : {}),
  }
  return stringify(
    { ...(overlay === undefined ? {} : { overlay }), customization },
    { indent: 4, lineWidth: 0, aliasDuplicateObjects: false },
  )
}

/** Known without asking the factory, which still has to be told the schematic once before it builds anything. */
export function schematicId(schematic: Schematic): string {
  return hex(sha256(utf8Encode(schematicText(schematic))))
}

/** Drivers of network cards whose firmware is an extension (directories of siderolabs/extensions). */
const firmware: Readonly<Record<string, string>> = {
  r8169: 'siderolabs/realtek-firmware',
  bnx2: 'siderolabs/bnx2-bnx2x',
  bnx2x: 'siderolabs/bnx2-bnx2x',
}

/** What this machine needs besides the plain image. */
export function schematicFor(facts: NodeFacts | null, oldNames: boolean): Schematic {
  const drivers = (facts?.interfaces ?? []).map(({ driver }) => driver ?? '')
  const extensions = [
    ...drivers.flatMap((driver) => firmware[driver] ?? []),
    ...(facts?.modules.includes('iscsi_tcp') === true ? ['siderolabs/iscsi-tools'] : []),
    ...(facts?.modules.includes('dm_multipath') === true ? ['siderolabs/multipath-tools'] : []),
  ]
  return {
    ...(facts?.boardModel?.startsWith('Raspberry Pi 4') === true ||
    facts?.boardModel?.startsWith('Raspberry Pi Compute Module 4') === true
      ? { overlay: { image: 'siderolabs/sbc-raspberrypi', name: 'rpi_generic' } }
      : {}),
    extraKernelArgs: oldNames ? ['net.ifnames=0'] : [],
    extensions: [...new Set(extensions)].toSorted(),
  }
}
