import type { Finding } from '../findings.ts'
import type { NodeFacts } from '../inventory.ts'
import { aboutNode, type AssessContext, type Check, type Machine } from './context.ts'
import { found } from './found.ts'

/** The state a machine is in: as a Node, by its clock, and by what its next boot would do. */
export const machineChecks: readonly Check[] = [
  { rules: ['PRE-NODE-NOT-READY', 'PRE-NODE-CORDONED'], needs: ['cluster'], run: schedulability },
  { rules: ['PRE-NODE-PRESSURE'], needs: ['cluster'], lacks: conditionsLacking, run: pressure },
  { rules: ['PRE-CLOCK'], needs: ['machines'], run: eachMachine(clock) },
  { rules: ['PRE-PENDING-REBOOT'], needs: ['machines'], run: eachMachine(pendingReboot) },
  { rules: ['PRE-BOOT-MARKER'], needs: ['machines'], run: eachMachine(bootMarkers) },
  { rules: ['PRE-INSTALL'], needs: ['machines'], run: eachMachine(installation) },
  { rules: ['PRE-NODE-PASSWORD'], needs: ['machines'], run: eachMachine(nodePassword) },
]

function eachMachine(look: (machine: Machine, facts: NodeFacts) => Finding[]): Check['run'] {
  return ({ machines }) =>
    machines.flatMap((machine) =>
      machine.facts === null || !machine.runsK3os ? [] : look(machine, machine.facts),
    )
}

// All nodes, moved ones too: what is evicted from one has to run on the others.
function schedulability({ machines }: AssessContext): Finding[] {
  return machines.flatMap((machine) => {
    const { node } = machine
    const occurrence = { subject: aboutNode(machine) }
    return [
      ...(node !== null && !node.ready ? [found('PRE-NODE-NOT-READY', { node: node.name }, occurrence)] : []),
      ...(node?.unschedulable === true ? [found('PRE-NODE-CORDONED', { node: node.name }, occurrence)] : []),
    ]
  })
}

const pressures = ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'NetworkUnavailable']

function conditionsLacking({ machines }: AssessContext): string | null {
  const without = machines.filter(({ node }) => node !== null && node.conditions === undefined)
  return without.length === 0
    ? null
    : 'the inventory was taken before conditions of nodes were kept; take it again'
}

/** `Unknown` is no "no": the kubelet has not been heard of. That alone is what PRE-NODE-NOT-READY says. */
function pressure({ machines }: AssessContext): Finding[] {
  return machines.flatMap((machine) => {
    const { node } = machine
    const conditions = pressures.filter((type) => {
      const status = node?.conditions?.[type]
      return status === 'True' || (status === 'Unknown' && node?.ready === true)
    })
    if (node === null || conditions.length === 0) return []
    return [found('PRE-NODE-PRESSURE', { node: node.name, conditions }, { subject: aboutNode(machine) })]
  })
}

const maxClockOffsetSeconds = 5

function clock(machine: Machine, { clockOffsetSeconds: offset }: NodeFacts): Finding[] {
  if (offset === null || Math.abs(offset) <= maxClockOffsetSeconds) return []
  const facts = { node: machine.name, address: machine.address, offsetSeconds: offset }
  return [found('PRE-CLOCK', facts, { subject: aboutNode(machine) })]
}

/** Running version against the `current` link, which the next boot follows (rancher/k3os pkg/system/component.go). */
function pendingReboot(machine: Machine, facts: NodeFacts): Finding[] {
  const running: readonly [string, string | null][] = [
    ['k3os', facts.os.version],
    ['k3s', facts.k3s.version],
    // The archive for boards brings a kernel too, which nothing boots: their vendor's stays (rancher/k3os README.md).
    ['kernel', facts.install === 'overlay' ? null : facts.kernel],
  ]
  const changes = running.flatMap(([component, version]) => {
    const link = facts.components[component]?.current ?? null
    if (version === null || link === null) return []
    const next = link.split('/').at(-1) ?? link
    return sameVersion(version, next) ? [] : [{ component, running: version, next: `${component} ${next}` }]
  })
  if (changes.length === 0) return []
  const { name: node, address } = machine
  return [found('PRE-PENDING-REBOOT', { node, address, changes }, { subject: aboutNode(machine) })]
}

function sameVersion(a: string, b: string): boolean {
  return a.replace(/^v/, '') === b.replace(/^v/, '')
}

// rancher/k3os overlay/libexec/k3os/mode-disk; what to do is the same for each: remove the file.
const markers = {
  ephemeral: {
    severity: 'inhibitor',
    effect: 'every boot deletes /k3os/data, with the datastore and all volumes',
  },
  'factory-reset': {
    severity: 'inhibitor',
    effect: 'the next boot deletes /k3os/data, with the datastore and all volumes',
  },
  takeover: {
    severity: 'inhibitor',
    effect: 'the next boot deletes almost everything on the k3OS file system',
  },
  growpart: { severity: 'medium', effect: 'the next boot changes the partition table' },
} as const

function bootMarkers(machine: Machine, facts: NodeFacts): Finding[] {
  return Object.entries(markers)
    .filter(([marker]) => facts.markers.includes(marker))
    .map(([marker, { severity, effect }]) =>
      found(
        'PRE-BOOT-MARKER',
        { node: machine.name, address: machine.address, marker, effect },
        { subject: aboutNode(machine), discriminator: marker, severity },
      ),
    )
}

function installation(machine: Machine, { install }: NodeFacts): Finding[] {
  if (install === 'disk') return []
  const result = install === 'unknown' ? 'error' : 'fail'
  // An overlay install is a real one (ARM boards); it only has no disk layout of k3OS.
  const severity = install === 'overlay' ? 'medium' : 'inhibitor'
  const facts = { node: machine.name, install }
  return [found('PRE-INSTALL', facts, { subject: aboutNode(machine), result, severity })]
}

function nodePassword(machine: Machine, { k3s }: NodeFacts): Finding[] {
  if (k3s.hasNodePassword === true || k3s.role === 'none') return []
  const readable = k3s.hasNodePassword !== null
  return [
    found(
      'PRE-NODE-PASSWORD',
      { node: machine.name, readable },
      { subject: aboutNode(machine), result: readable ? 'fail' : 'error' },
    ),
  ]
}
