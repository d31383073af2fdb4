import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readConfig } from '../src/core/k3os/read.ts'

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
  readonly run: () => void
}

const config = fileURLToPath(new URL('config.yaml', import.meta.url))
const text = readFileSync(config, 'utf8')

/** `scratch` is an empty folder that is removed afterwards. */
export function rows(scratch: string): readonly (ProcessRow | WorkRow)[] {
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
  ]
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
