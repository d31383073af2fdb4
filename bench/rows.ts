import { mkdtempSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../src/adapters/clock.ts'
import { runFiles } from '../src/adapters/files.ts'
import { openJournal } from '../src/adapters/run-directory.ts'
import { readConfig } from '../src/core/k3os/read.ts'
import { Journal } from '../src/migrate/journal.ts'
import { writeFleet } from '../test/support/fleet.ts'
import { writeMovableFleet } from '../test/support/movable-fleet.ts'

/** Whole processes of Node, in turn with `node -e 0`; the ratio of the medians is what counts on any machine. */
export interface ProcessRow {
  readonly kind: 'process'
  readonly name: string
  /** Arguments of the built command line. */
  readonly argv: readonly string[]
  /** How it must end, or what is measured is not what is meant. */
  readonly exit: number
  /** At most so many times a bare Node. */
  readonly aim: number
}

/** Work in this process, once to warm up and then as often as processes are run. */
export interface WorkRow {
  readonly kind: 'work'
  readonly name: string
  /** What one turn handles, for the time of each. */
  readonly units: number
  readonly run: () => void | Promise<void>
}

/** One process that does much: how long it takes and how much memory it has at its peak. */
export interface FleetRow {
  readonly kind: 'fleet'
  readonly name: string
  readonly argv: readonly string[]
  readonly exit: number
  readonly aim: { readonly seconds: number; readonly mib: number }
  /** Fills the folder the process works in. */
  readonly prepare: (folder: string) => void
}

const config = fileURLToPath(new URL('config.yaml', import.meta.url))
const text = readFileSync(config, 'utf8')

const reports = 'json=a.json markdown=a.md html=a.html sarif=a.sarif junit=a.xml'

/** `scratch` is an empty folder that is removed afterwards. */
export function rows(scratch: string): readonly (ProcessRow | WorkRow | FleetRow)[] {
  return [
    { kind: 'process', name: '--version', argv: ['--version'], exit: 0, aim: 1.5 },
    { kind: 'process', name: '--help', argv: ['--help'], exit: 0, aim: 2 },
    { kind: 'process', name: 'usage error', argv: ['asses'], exit: 64, aim: 2 },
    {
      kind: 'process',
      name: 'translate config.yaml',
      argv: ['translate', config, '--target', 'debian', '--out', scratch],
      exit: 0,
      aim: 4,
    },
    { kind: 'work', name: 'merge 1000 nodes', units: 1000, run: mergeNodes },
    {
      kind: 'work',
      name: 'journal, each record on the disk',
      units: 200,
      run: async () => appendRecords(scratch, 200),
    },
    {
      kind: 'fleet',
      name: 'assess 1000 nodes, 30000 pods, all reports',
      argv: `assess --inventory inventory.yaml --out assessment.txt --report ${reports}`.split(' '),
      exit: 3,
      aim: { seconds: 5, mib: 500 },
      prepare: (folder) => {
        writeFleet(folder, { nodes: 1000, pods: 30_000, seed: 1 })
      },
    },
    {
      kind: 'fleet',
      name: 'translate 1000 nodes to every target',
      argv: ['translate', '--inventory', 'inventory.yaml', '--compare'],
      exit: 0,
      aim: { seconds: 10, mib: 300 },
      prepare: (folder) => {
        writeMovableFleet(folder, 1000)
      },
    },
    {
      kind: 'fleet',
      name: 'plan 1000 nodes, 4000 pods',
      argv: ['plan', '--inventory', 'inventory.yaml', '--hook', 'rebuild', '--keeps-data'],
      exit: 0,
      aim: { seconds: 10, mib: 500 },
      prepare: (folder) => {
        writeMovableFleet(folder, 1000)
      },
    },
  ]
}

/** Onto the disk of the folder for temporary files. */
async function appendRecords(folder: string, count: number): Promise<void> {
  const directory = mkdtempSync(join(folder, 'run-'))
  const sink = await openJournal(directory)
  const ports = { clock: systemClock, files: runFiles(directory) }
  const journal = new Journal({ runId: 'bench', ports, sink, records: [] })
  for (let record = 0; record < count; record += 1) await journal.note('shop-1', 'drain', 1, { record })
  await sink.close()
}

function mergeNodes(): void {
  for (let node = 1; node <= 1000; node += 1) {
    const name = `shop-${String(node).padStart(4, '0')}`
    const bytes = new TextEncoder().encode(text.replaceAll('shop-0001', name))
    const reading = readConfig({ system: { file: '/k3os/system/config.yaml', bytes }, configD: [] })
    if (reading.status !== 'merged' || reading.config.hostname !== name)
      throw new Error(`the configuration of ${name} was not merged`)
  }
}
