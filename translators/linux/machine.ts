import type { Disk, NodeFacts } from '../../src/core/inventory.ts'

/** The disk k3OS lies on, or the only one; null when that is not known. */
export function systemDisk(facts: NodeFacts | null): Disk | null {
  const disks = facts?.disks ?? []
  const state = disks.find(({ partitions }) => partitions.some(({ label }) => label === 'K3OS_STATE'))
  return state ?? (disks.length === 1 ? (disks[0] ?? null) : null)
}

/** The word a distribution has for the machine; the first one when nobody looked. */
export function architecture(facts: NodeFacts | null, words: Readonly<Record<string, string>>): string {
  const known = facts?.machine ?? ''
  return (Object.hasOwn(words, known) ? words[known] : Object.values(words)[0]) ?? ''
}
