import type { Bundle } from './bundle.ts'
import { compareText, sortFindings, type Finding, type Location } from './findings.ts'
import { hostModel } from './host/host-model.ts'
import type { HostModel } from './host/model.ts'
import type { KubeNode, NodeFacts } from './inventory.ts'
import { effects, type EffectsContext } from './k3os/effects.ts'
import type { ConfigReading, MergedReading } from './k3os/reading.ts'
import { nodeSecrets } from './node-secrets.ts'
import { translateFinding, unknownFile } from './rules/translate.ts'
import { uncovered, type TranslateTools, type Translation, type Translator } from './translation.ts'

/** Everything known about one node; a configuration alone is enough. */
export interface NodeToTranslate {
  readonly name: string
  readonly reading: ConfigReading
  /** Holds the node's secrets: host keys, node password, keys people added, hand-made network files. */
  readonly bundle: Bundle | null
  readonly facts: NodeFacts | null
  readonly nodeObject: KubeNode | null
  /** Of this attempt; null when nothing is planned yet. */
  readonly nonce: string | null
}

/**
 * The configuration of one node in the target's words, with every value of the source accounted for: what the target
 * forgot becomes a finding of its own (TRN-UNACCOUNTED). Findings of the reading itself are not repeated here.
 */
export function translateNode(
  source: NodeToTranslate,
  translator: Translator,
  tools: TranslateTools,
): Translation {
  return translationsOf(source)(translator, tools)
}

/** The same for one target after the other: what the node must be on any of them is computed once. */
export function translationsOf(
  source: NodeToTranslate,
): (translator: Translator, tools: TranslateTools) => Translation {
  const { name, reading } = source
  if (reading.status === 'rejected') {
    const rejected = translateFinding('TRN-REJECTED', { reason: reading.reason }, { node: name })
    const location: Location = { ...reading.position, path: null }
    const nothing: Translation = {
      files: [],
      delivery: { kind: 'none', reason: 'k3OS rejects the configuration' },
      findings: [{ ...rejected, location }],
      trace: [],
    }
    return () => nothing
  }
  const host = hostOf(source, reading)
  return (translator, tools) => translated({ source, reading, host }, translator, tools)
}

function hostOf({ name, facts, bundle, nodeObject }: NodeToTranslate, { config }: MergedReading): HostModel {
  const context: Omit<EffectsContext, 'phase'> = {
    mode: facts?.mode ?? 'local',
    k3osVersion: facts?.os.version ?? '',
    hasK3s: true,
  }
  return hostModel({
    node: name,
    config,
    boot: effects(config, { ...context, phase: 'boot' }),
    runtime: effects(config, { ...context, phase: 'runtime' }),
    facts,
    secrets: bundle === null ? null : nodeSecrets(bundle),
    nodeObject,
    connmanFiles: bundle === null ? null : connmanFiles(bundle),
  })
}

function translated(
  known: { readonly source: NodeToTranslate; readonly reading: MergedReading; readonly host: HostModel },
  translator: Translator,
  tools: TranslateTools,
): Translation {
  const { source, reading, host } = known
  const { name, facts, nonce } = source
  const { config } = reading
  const result = translator.translate({ name, config, host, facts, nonce }, tools)
  const untrue = translator.untrueOf ?? []
  const stillTrue = untrue === 'all' ? [] : host.findings.filter(({ rule }) => !untrue.includes(rule))
  const said = [...stillTrue, ...result.findings]
  const missing = uncovered(config, { trace: result.trace, findings: said }).map((path) =>
    translateFinding('TRN-UNACCOUNTED', { path, target: translator.title }, { node: name, path }),
  )
  const unique = new Map([...said, ...missing].map((found) => [found.key, found]))
  return {
    ...result,
    files: result.files.toSorted((a, b) => compareText(a.path, b.path)),
    findings: sortFindings([...unique.values()].map((found) => located(found, reading))),
  }
}

/** Puts file and line of the value to a finding that only knows its path. */
function located(found: Finding, reading: MergedReading): Finding {
  const path = found.location?.path ?? null
  if (found.location === null || path === null || found.location.file !== unknownFile) return found
  const place = (reading.origins.get(path) ?? firstBelow(reading, path))?.place
  return place === null || place === undefined ? found : { ...found, location: { ...place, path } }
}

function firstBelow(reading: MergedReading, path: string): { place: Location | null } | undefined {
  for (const [leaf, { place }] of reading.origins)
    if (place !== null && (leaf.startsWith(`${path}.`) || leaf.startsWith(`${path}[`)))
      return { place: { ...place, path } }
  return undefined
}

function connmanFiles(bundle: Bundle): { path: string; text: string }[] {
  return [...bundle.files]
    .filter(([path]) => /^\/var\/lib\/connman\/[^/]+\.config$/.test(path))
    .map(([path, file]) => ({ path, text: new TextDecoder().decode(file.bytes) }))
    .toSorted((a, b) => compareText(a.path, b.path))
}
