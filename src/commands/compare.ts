import type { Comparison } from '../core/comparison.ts'
import { exitCode, MigrateError, type ExitCode } from '../core/errors.ts'
import type { Finding } from '../core/findings.ts'
import { countFates, Losses, valueFates, type ValueFate } from '../core/fates.ts'
import { translationsOf, type NodeToTranslate } from '../core/translate-node.ts'
import type { TranslateTools, Translator } from '../core/translation.ts'
import { comparisonMarkdown, comparisonText, explanationText } from '../output/comparison-text.ts'
import { json } from '../output/json.ts'
import { comparisonHtml } from '../output/report/comparison-html.ts'
import { yaml } from '../core/yaml-text.ts'
import { toolVersion } from '../version.ts'
import type { CommandIo } from './io.ts'

export interface Work {
  /** One after the other: a thousand nodes with all that was read on them do not have to fit into memory. */
  readonly nodes: Iterable<NodeToTranslate> | AsyncIterable<NodeToTranslate>
  readonly unread: readonly { readonly name: string; readonly reason: string }[]
  readonly translators: readonly Translator[]
  readonly tools: TranslateTools
}

type Format = 'table' | 'json' | 'yaml' | 'markdown' | 'html'
type ComparedNode = Comparison['nodes'][number]
type ComparedValue = ComparedNode['targets'][number]['values'][number]

/** Targets side by side. Writes nothing; exit 3 when a node could not be read or k3OS rejects its configuration. */
export async function compareTargets(work: Work, output: Format, io: CommandIo): Promise<ExitCode> {
  const { document, rejected } = await comparison(work)
  const width = io.columns === undefined ? {} : { width: io.columns }
  const print: Readonly<Record<Format, () => string>> = {
    table: () => comparisonText(document, width),
    json: () => json(document),
    yaml: () => yaml(document),
    markdown: () => comparisonMarkdown(document),
    html: () => comparisonHtml(document),
  }
  io.out(print[output]())
  return exitOf(work, rejected)
}

export async function comparison(work: Work): Promise<{ document: Comparison; rejected: boolean }> {
  const nodes: ComparedNode[] = []
  const losses = new Losses()
  const shared = sharing()
  let rejected = false
  for await (const node of work.nodes) {
    const fatesOn = fatesOf(node, work.tools)
    const targets = work.translators.map((translator) => {
      const { values, findings } = fatesOn(translator)
      losses.add(node.name, translator.id, findings)
      return { target: translator.id, counts: countFates(values), values: values.map(shared) }
    })
    nodes.push({ name: node.name, unread: null, targets })
    rejected ||= node.reading.status === 'rejected'
  }
  for (const { name, reason } of work.unread) nodes.push({ name, unread: reason, targets: [] })
  const document: Comparison = {
    apiVersion: 'k3os-migrate/v1',
    kind: 'Comparison',
    metadata: { toolVersion },
    targets: work.translators.map(({ id, title, requires }) => ({ id, title, rejoins: requires.rejoins })),
    nodes,
    losses: losses.list(),
  }
  return { document, rejected }
}

/** Where one value goes. `path` is a value or anything above it: `k3os.labels`. Exit 64 when nothing stands there. */
export async function explainPath(
  work: Work,
  path: string,
  output: Format,
  io: CommandIo,
): Promise<ExitCode> {
  const rows: { node: string; target: string; value: ValueFate }[] = []
  const known = new Set<string>()
  let rejected = false
  for await (const node of work.nodes) {
    rejected ||= node.reading.status === 'rejected'
    if (node.reading.status === 'merged') for (const name of Object.keys(node.reading.config)) known.add(name)
    const fatesOn = fatesOf(node, work.tools)
    for (const translator of work.translators)
      for (const value of fatesOn(translator).values)
        if (isBelow(value.path, path)) rows.push({ node: node.name, target: translator.id, value })
  }
  if (rows.length === 0)
    throw new MigrateError(`no configuration has a value at ${path}`, {
      exitCode: exitCode.usage,
      hint: `values stand below: ${[...known].join(', ')}; k3os-migrate config --origins prints all`,
    })
  if (output === 'json' || output === 'yaml') {
    const document = {
      apiVersion: 'k3os-migrate/v1',
      kind: 'Explanation',
      path,
      values: rows.map(({ node, target, value }) => ({ node, target, ...printable(value) })),
    }
    io.out(output === 'json' ? json(document) : yaml(document))
  } else io.out(explanationText(rows, io.columns === undefined ? {} : { width: io.columns }))
  return exitOf(work, rejected)
}

function fatesOf(
  node: NodeToTranslate,
  tools: TranslateTools,
): (translator: Translator) => {
  readonly values: readonly ValueFate[]
  readonly findings: readonly Finding[]
} {
  const translate = translationsOf(node)
  return (translator) => {
    const translation = translate(translator, tools)
    const values = node.reading.status === 'merged' ? valueFates(node.reading.config, translation) : []
    return { values, findings: translation.findings }
  }
}

function printable({ path, fate, to, because }: ValueFate): ComparedValue {
  return {
    path,
    fate,
    to: to.map((place) => ({ file: place.file, path: place.path ?? null })),
    rules: because.map(({ rule }) => rule),
  }
}

/** Nodes of a fleet differ in their values, which are not in here, and hardly in this: what is equal is kept once. */
function sharing(): (value: ValueFate) => ComparedValue {
  const known = new Map<string, ComparedValue>()
  return (value) => {
    const { path, fate, to, because } = value
    const places = to.map((place) => `${place.file} ${place.path ?? ''}`)
    const key = [path, fate, ...places, ...because.map(({ rule }) => rule)].join('\n')
    const same = known.get(key) ?? printable(value)
    known.set(key, same)
    return same
  }
}

function isBelow(path: string, wanted: string): boolean {
  return path === wanted || path.startsWith(`${wanted}.`) || path.startsWith(`${wanted}[`)
}

function exitOf({ unread }: Work, rejected: boolean): ExitCode {
  return rejected || unread.length > 0 ? exitCode.inhibitors : exitCode.ok
}
