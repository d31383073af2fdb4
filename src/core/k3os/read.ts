import type { ConfigPath } from '../path.ts'
import { accountFor } from './account.ts'
import { normalise } from './coerce.ts'
import type { ConfigSources } from './config.ts'
import { decode } from './decode.ts'
import { Ledger } from './ledger.ts'
import { loadSources } from './load.ts'
import { mergeTables } from './merge.ts'
import type { ConfigReading } from './reading.ts'
import { rejectMistakes, rejectSources } from './reject.ts'
import { buildResult } from './result.ts'
import { review } from './review.ts'
import { rootShape } from './shape.ts'
import { Source } from './source.ts'
import type { Table } from './value.ts'

/**
 * The configuration of one node as k3OS itself merges it (rancher/k3os pkg/config/read.go), with the place of every
 * value. Never throws for what the sources say: a configuration k3OS rejects is an answer.
 */
export function readConfig(sources: ConfigSources): ConfigReading {
  const all = loadSources(sources)
  const account = accountFor(all.loaded)
  const asked = new Set<ConfigPath>(account.claims.map(({ list, path }) => list?.path ?? path))
  if (all.unloadable.length > 0) return rejectSources(all.unloadable, [...asked])

  const ledger = new Ledger()
  let merged: Table = {
    kind: 'table',
    entries: new Map(),
    source: new Source('system', '', ''),
    start: 0,
    end: 0,
  }
  for (const { table } of all.loaded) {
    if (table === null) continue
    normalise(table, rootShape, ledger)
    merged = mergeTables(merged, table, rootShape, ledger)
  }
  const decoded = decode(merged, rootShape, ledger)
  if (decoded.mistakes.length > 0) return rejectMistakes(decoded.mistakes, account, ledger, [...asked])

  const result = buildResult(decoded.root, ledger)
  const findings = review(all, account, decoded, result, ledger)
  return { status: 'merged', config: result.config, origins: result.origins, findings }
}
