import { parseBundle } from '../core/bundle.ts'
import { formatPosition, MigrateError } from '../core/errors.ts'
import { probes } from '../core/facts/probes.ts'
import { nodeFacts } from '../core/facts.ts'
import type { NodeFacts } from '../core/inventory.ts'
import type { HostAddress } from '../migrate/ports.ts'
import { mark, plain } from '../output/style.ts'
import { inParallel } from './in-parallel.ts'
import type { CommandIo } from './io.ts'
import type { InventoryOptions, InventoryPorts } from './inventory.ts'
import type { MachineToRead } from './inventory-targets.ts'

export interface ReadMachine {
  readonly given: string | undefined
  readonly fallback: string
  readonly host: string | null
  /** `[user@]host[:port]`, what is usual left out; null for a bundle. */
  readonly address: string | null
  readonly facts: NodeFacts | null
  readonly reading:
    | {
        readonly status: 'read'
        readonly readAt: string
        readonly how: string
        readonly sha256: string
        readonly bundle: Uint8Array
        readonly facts: NodeFacts
      }
    | { readonly status: 'error'; readonly reason: string; readonly hint?: string | undefined }
}

/** Reads all machines, some at a time; each says one line when it is through. A machine that fails is a result too. */
export async function readMachines(
  machines: readonly MachineToRead[],
  options: InventoryOptions,
  io: CommandIo,
  ports: InventoryPorts,
): Promise<ReadMachine[]> {
  let through = 0
  return inParallel(machines, options.parallel, async (machine) => {
    const result = await readOne(machine, options, io, ports)
    through += 1
    if (!io.signal.aborted) io.err(progressLine(result, through, machines.length))
    return result
  })
}

async function readOne(
  machine: MachineToRead,
  options: InventoryOptions,
  io: CommandIo,
  ports: InventoryPorts,
): Promise<ReadMachine> {
  switch (machine.from) {
    case 'ssh':
      return overSsh(machine, io, ports)
    case 'file':
      return fromFile(machine, io, ports)
    case 'pod':
      return viaPod(machine, options, io, ports)
    case 'nowhere': {
      const { given, reason } = machine
      return { given, fallback: given, ...nowhere, facts: null, reading: { status: 'error', reason } }
    }
  }
}

const nowhere = { host: null, address: null } as const

async function overSsh(
  { given, address }: MachineToRead & { from: 'ssh' },
  io: CommandIo,
  ports: InventoryPorts,
): Promise<ReadMachine> {
  const place = { given, fallback: address.host, host: address.host, address: addressText(address) }
  const startedAt = ports.clock.now()
  const reading = await attempt(io, async () => {
    const bundle = await ports.host.collect(address, io.signal)
    const parsed = parseBundle(bundle, `bundle of ${address.name}`)
    const facts = nodeFacts(parsed, { epochSeconds: Math.floor(startedAt.getTime() / 1000) })
    const how = `ssh ${address.user}@${address.host}:${address.port}`
    return { readAt: startedAt.toISOString(), how, bundle, sha256: ports.files.sha256(bundle), facts }
  })
  return { ...place, facts: reading.status === 'read' ? reading.facts : null, reading }
}

async function viaPod(
  { given, host, image }: MachineToRead & { from: 'pod' },
  options: InventoryOptions,
  io: CommandIo,
  ports: InventoryPorts,
): Promise<ReadMachine> {
  const reading = await attempt(io, async () => {
    const pods = await ports.connectPods()
    let startedAt = ports.clock.now()
    const choice = {
      image,
      owner: ports.owner,
      timeoutMs: options.timeout,
      // The image may have to be fetched first, and the clocks are compared.
      onStart: () => {
        startedAt = ports.clock.now()
      },
    }
    const bundle = await pods.collect(given, choice, io.signal)
    const parsed = parseBundle(bundle, `bundle of ${given}`)
    const facts = nodeFacts(parsed, { epochSeconds: Math.floor(startedAt.getTime() / 1000) })
    const how = `pod with ${image} on ${given}`
    return { readAt: startedAt.toISOString(), how, bundle, sha256: ports.files.sha256(bundle), facts }
  })
  const facts = reading.status === 'read' ? reading.facts : null
  return { given, fallback: given, host, address: host, facts, reading }
}

async function fromFile(
  { file, label }: MachineToRead & { from: 'file' },
  io: CommandIo,
  ports: InventoryPorts,
): Promise<ReadMachine> {
  const reading = await attempt(io, async () => {
    // The name was just listed; nothing of that name any more is an empty archive.
    const bundle = (await ports.files.read(file)) ?? new Uint8Array()
    const parsed = parseBundle(bundle, file)
    const facts = nodeFacts(parsed)
    // Nobody but the node knows when it was collected.
    const seconds = Number(parsed.commands.get(probes.epochSeconds)?.text ?? Number.NaN)
    const readAt = Number.isFinite(seconds) ? new Date(seconds * 1000) : ports.clock.now()
    return {
      readAt: readAt.toISOString(),
      how: `bundle ${label}.bundle`,
      bundle,
      sha256: ports.files.sha256(bundle),
      facts,
    }
  })
  const facts = reading.status === 'read' ? reading.facts : null
  return { given: undefined, fallback: label, ...nowhere, facts, reading }
}

/** Only failures that are meant for the user become a row; anything else is a mistake of ours and must show as one. */
async function attempt(
  io: CommandIo,
  read: () => Promise<Omit<ReadMachine['reading'] & { status: 'read' }, 'status'>>,
): Promise<ReadMachine['reading']> {
  try {
    return { status: 'read', ...(await read()) }
  } catch (error) {
    if (io.signal.aborted) return { status: 'error', reason: 'stopped' }
    if (!(error instanceof MigrateError)) throw error
    const where = error.position === undefined ? '' : `${formatPosition(error.position)}: `
    return { status: 'error', reason: `${where}${error.message}`, hint: error.hint }
  }
}

function progressLine(
  { given, address, fallback, reading }: ReadMachine,
  through: number,
  all: number,
): string {
  const name = `[${through}/${all}] ${mark('name', given ?? address ?? fallback)}`
  if (reading.status === 'error') {
    const hint = reading.hint === undefined ? '' : `  hint: ${plain(reading.hint)}\n`
    return `${name}: ${mark('bad', `not read: ${reading.reason}`)}\n${hint}`
  }
  const { failures } = reading.facts
  const unknown = failures.map((failure) => failure.what).join(', ')
  return `${name}: read${mark('warn', failures.length === 0 ? '' : `, ${failures.length} not known: ${unknown}`)}\n`
}

function addressText({ host, port, user }: HostAddress): string {
  const login = user === 'rancher' ? '' : `${user}@`
  if (port === 22) return `${login}${host}`
  return `${login}${host.includes(':') ? `[${host}]` : host}:${port}`
}
