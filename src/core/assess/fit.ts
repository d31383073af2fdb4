import type { Fit } from '../assessment.ts'
import type { Finding } from '../findings.ts'
import type { Disk, NodeFacts } from '../inventory.ts'
import type { Requirements } from '../requirements.ts'
import { fitReasons } from '../rules/assess-fit.ts'
import { aboutNode, type AssessContext, type AssessedTarget, type Check, type Machine } from './context.ts'
import { because, unread, type Comparison } from './fit-comparison.ts'
import { networkComparisons } from './fit-network.ts'
import { found } from './found.ts'

export const fitChecks: readonly Check[] = [
  { rules: ['FIT-NONE', 'FIT-UNKNOWN'], needs: ['machines'], run: fitFindings },
]

/** One row per machine to move and target. */
export function fitRows({ machines, targets }: Pick<AssessContext, 'machines' | 'targets'>): Fit[] {
  return machines
    .filter(({ runsK3os, entry }) => runsK3os && entry !== null)
    .flatMap((machine) => targets.map((target) => fitOf(machine, target)))
}

function fitOf(machine: Machine, target: AssessedTarget): Fit {
  const row = { node: machine.name, target: target.id }
  const { facts } = machine
  if (facts === null) {
    const text = fitReasons['FIT-UNREAD']('the machine')
    return { ...row, verdict: 'unknown', reasons: [{ rule: 'FIT-UNREAD', text }] }
  }
  const all = compare(facts, target.requires)
  const reasons = (effect: Comparison['effect']): Fit['reasons'] =>
    all.filter((one) => one.effect === effect).map(({ reason }) => reason)
  const [blocks, changes, unread] = [reasons('blocks'), reasons('changes'), reasons('unread')]
  if (blocks.length > 0) return { ...row, verdict: 'does not fit', reasons: blocks }
  if (unread.length > 0) return { ...row, verdict: 'unknown', reasons: [...unread, ...changes] }
  return { ...row, verdict: changes.length > 0 ? 'fits with changes' : 'fits', reasons: changes }
}

function compare(facts: NodeFacts, needs: Requirements): Comparison[] {
  return [
    needs.image === undefined ? null : because('blocks', 'FIT-NO-IMAGE', fitReasons['FIT-NO-IMAGE']()),
    machineType(facts, needs),
    x86Level(facts, needs),
    firmware(facts, needs),
    memory(facts, needs),
    disk(facts, needs),
    board(facts, needs),
    ...networkComparisons(facts, needs),
    cgroup(facts, needs),
    k3sVersion(facts, needs),
    needs.rejoins ? null : because('changes', 'FIT-NEW-CLUSTER', fitReasons['FIT-NEW-CLUSTER']()),
  ].filter((one) => one !== null)
}

function machineType({ machine }: NodeFacts, { machines }: Requirements): Comparison | null {
  if (machine === null) return unread('the architecture')
  if (machines.includes(machine)) return null
  return because('blocks', 'FIT-MACHINE', fitReasons['FIT-MACHINE'](machine, machines))
}

function x86Level({ machine, cpu }: NodeFacts, needs: Requirements): Comparison | null {
  if (machine !== 'x86_64' || needs.x86Level <= 1) return null
  if (cpu.x86Level === null) return unread('the level of the CPU')
  if (cpu.x86Level >= needs.x86Level) return null
  return because('blocks', 'FIT-X86-LEVEL', fitReasons['FIT-X86-LEVEL'](cpu.x86Level, needs.x86Level))
}

function firmware(facts: NodeFacts, needs: Requirements): Comparison | null {
  // ARM boards boot by their own loaders; the distinction is that of PCs.
  if (facts.machine !== 'x86_64') return null
  if (facts.firmware === 'unknown') return unread('the kind of firmware')
  if (needs.firmware.includes(facts.firmware)) return null
  return because('blocks', 'FIT-FIRMWARE', fitReasons['FIT-FIRMWARE'](facts.firmware, needs.firmware))
}

/** The kernel reports less than is installed: firmware, graphics and the kernel itself take their part. */
const shareOfMemoryReported = 0.9

function memory({ memoryMib }: NodeFacts, needs: Requirements): Comparison | null {
  if (memoryMib === null) return unread('the size of the memory')
  if (memoryMib >= needs.memoryMib * shareOfMemoryReported) return null
  return because('blocks', 'FIT-MEMORY', fitReasons['FIT-MEMORY'](memoryMib, needs.memoryMib))
}

function disk({ disks }: NodeFacts, needs: Requirements): Comparison | null {
  const state = disks.find(holdsState) ?? (disks.length === 1 ? disks[0] : undefined)
  if (state === undefined) return unread('the disk k3OS is installed on')
  if (state.sizeMib >= needs.diskMib) return null
  const larger = disks.find((one) => one.sizeMib >= needs.diskMib && one.transport !== 'usb')
  return larger === undefined
    ? because('blocks', 'FIT-DISK', fitReasons['FIT-DISK'](state.name, state.sizeMib, needs.diskMib))
    : because(
        'changes',
        'FIT-OTHER-DISK',
        fitReasons['FIT-OTHER-DISK'](larger.name, state.name, needs.diskMib),
      )
}

function holdsState({ partitions }: Disk): boolean {
  return partitions.some(({ label }) => label === 'K3OS_STATE')
}

/** Boards have no firmware that starts any system: an image must be made for them. */
function board(facts: NodeFacts, { boards }: Requirements): Comparison | null {
  // ARM servers with UEFI start what PCs start.
  if (facts.machine === 'x86_64' || facts.machine === null || facts.firmware === 'uefi') return null
  const model = facts.boardModel
  if (model === null) return unread('the model of the board')
  const isOneOf = (names: readonly string[]): boolean => names.some((name) => model.startsWith(name))
  if (boards !== undefined && isOneOf(boards.never))
    return because('blocks', 'FIT-BOARD', fitReasons['FIT-BOARD'](model))
  if (boards !== undefined && isOneOf(boards.boots)) return null
  return because('changes', 'FIT-BOARD-IMAGE', fitReasons['FIT-BOARD-IMAGE'](model))
}

/**
 * k3s before 1.20.4 does not start on a pure cgroup v2 host (k3d-io/k3d#493, k3s-io/k3s#900); from 1.35 on the kubelet
 * refuses v1 (kubernetes/enhancements KEP-5573).
 */
function cgroup({ k3s }: NodeFacts, needs: Requirements): Comparison | null {
  if (!needs.rejoins || k3s.role === 'none') return null
  const version = versionOf(k3s.version)
  if (version === null || k3s.version === null) return unread('the version of k3s')
  const [major, minor, patch] = version
  if (major > 1 || minor >= 35)
    return needs.cgroup.includes('v2')
      ? null
      : because('blocks', 'FIT-CGROUP-V2', fitReasons['FIT-CGROUP-V2'](k3s.version))
  if (minor > 20 || (minor === 20 && patch >= 4)) return null
  return needs.cgroup.includes('v1')
    ? because('changes', 'FIT-CGROUP-BOOT', fitReasons['FIT-CGROUP-BOOT'](k3s.version))
    : because('blocks', 'FIT-CGROUP-V1', fitReasons['FIT-CGROUP-V1'](k3s.version))
}

/** Compared by line: a system that carries 1.24 carries all of its patches. */
function k3sVersion({ k3s }: NodeFacts, needs: Requirements): Comparison | null {
  if (needs.k3s === undefined || k3s.role === 'none') return null
  const version = versionOf(k3s.version)
  // Where cgroups were asked about, the same thing has been said once.
  if (version === null || k3s.version === null) return needs.rejoins ? null : unread('the version of k3s')
  const { oldest, newest } = needs.k3s
  const below = oldest !== null && isOlder(version, oldest)
  const above = newest !== null && isOlder(lineOf(newest), `${version[0]}.${version[1]}`)
  return below || above
    ? because('blocks', 'FIT-K3S', fitReasons['FIT-K3S'](k3s.version, oldest, newest))
    : null
}

function versionOf(text: string | null): [number, number, number] | null {
  const [, major, minor, patch] = /(\d+)\.(\d+)\.(\d+)/.exec(text ?? '') ?? []
  return major === undefined ? null : [Number(major), Number(minor), Number(patch)]
}

function lineOf(text: string): [number, number, number] {
  const [major = 0, minor = 0] = text.split('.').map(Number)
  return [major, minor, 0]
}

function isOlder([major, minor]: readonly [number, number, number], line: string): boolean {
  const [otherMajor, otherMinor] = lineOf(line)
  return major < otherMajor || (major === otherMajor && minor < otherMinor)
}

/**
 * A node that fits some target needs no finding: the table says which. With one target asked for, that one decides.
 */
function fitFindings(context: AssessContext): Finding[] {
  const rows = Map.groupBy(context.fit, ({ node }) => node)
  return context.machines.flatMap((machine) => {
    const own = rows.get(machine.name) ?? []
    if (own.length === 0 || machine.facts === null) return []
    if (own.some(({ verdict }) => verdict === 'fits' || verdict === 'fits with changes')) return []
    const occurrence = { subject: aboutNode(machine) }
    const open = own.filter(({ verdict }) => verdict === 'unknown')
    if (open.length > 0) {
      const missing = open.flatMap(({ reasons }) => reasons.filter(({ rule }) => rule === 'FIT-UNREAD'))
      const facts = { node: machine.name, reasons: [...new Set(missing.map(({ text }) => text))] }
      return [found('FIT-UNKNOWN', facts, { ...occurrence, result: 'error' })]
    }
    const targets = own.map(({ target, reasons }) => ({
      id: target,
      reasons: reasons.map(({ text }) => text),
    }))
    return [found('FIT-NONE', { node: machine.name, targets }, occurrence)]
  })
}
