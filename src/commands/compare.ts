import type { Comparison } from '../core/comparison.ts'
import { exitCode, MigrateError, type ExitCode } from '../core/errors.ts'
import type { Finding } from '../core/findings.ts'
import { countFates, Losses, valueFates, type ValueFate } from '../core/fates.ts'
import { translateNode, type NodeToTranslate } from '../core/translate-node.ts'
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
  let rejected = false
  for await (const node of work.nodes) {
    const targets = work.translators.map((translator) => {
      const { values, findings } = fatesOn(node, translator, work.tools)
      losses.add(node.name, translator.id, findings)
      return { target: translator.id, counts: countFates(values), values: values.map(printable) }
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
    for (const translator of work.translators)
      for (const value of fatesOn(node, translator, work.tools).values)
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

function fatesOn(
  node: NodeToTranslate,
  translator: Translator,
  tools: TranslateTools,
): { readonly values: readonly ValueFate[]; readonly findings: readonly Finding[] } {
  const translation = translateNode(node, translator, tools)
  const values = node.reading.status === 'merged' ? valueFates(node.reading.config, translation) : []
  return { values, findings: translation.findings }
}

function printable({ path, fate, to, because }: ValueFate): ComparedValue {
  return {
    path,
    fate,
    to: to.map((place) => ({ file: place.file, path: place.path ?? null })),
    rules: because.map(({ rule }) => rule),
  }
}

function isBelow(path: string, wanted: string): boolean {
  return path === wanted || path.startsWith(`${wanted}.`) || path.startsWith(`${wanted}[`)
}

function exitOf({ unread }: Work, rejected: boolean): ExitCode {
  return rejected || unread.length > 0 ? exitCode.inhibitors : exitCode.ok
}
