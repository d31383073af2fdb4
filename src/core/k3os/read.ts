import type { ConfigSources } from './config.ts'
import type { ConfigReading } from './reading.ts'

/**
 * The configuration of one node as k3OS itself merges it (rancher/k3os pkg/config/read.go), with the place of every
 * value. Never throws for what the sources say: a configuration k3OS rejects is an answer.
 */
export function readConfig(sources: ConfigSources): ConfigReading {
  throw new Error(`not written yet (${sources.configD.length} drop-ins)`)
}
