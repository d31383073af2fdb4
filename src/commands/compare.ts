import { comparisonSchema, type Comparison } from '../core/comparison.ts'
import { exitCode, MigrateError, type ExitCode } from '../core/errors.ts'
import { countFates, losses, valueFates, type ValueFate } from '../core/fates.ts'
import { translateNode, type NodeToTranslate } from '../core/translate-node.ts'
import type { Translation, TranslateTools, Translator } from '../core/translation.ts'
import { comparisonMarkdown, comparisonText, explanationText } from '../output/comparison-text.ts'
import { json } from '../output/json.ts'
import { comparisonHtml } from '../output/report/comparison-html.ts'
import { yaml } from '../core/yaml-text.ts'
import { toolVersion } from '../version.ts'
import type { CommandIo } from './io.ts'

interface Work {
  readonly nodes: readonly NodeToTranslate[]
  readonly unread: readonly { readonly name: string; readonly reason: string }[]
  readonly translators: readonly Translator[]
  readonly tools: TranslateTools
}

interface Row {
  readonly node: string
  readonly target: string
  readonly translation: Translation
  readonly values: readonly ValueFate[]
}

type Format = 'table' | 'json' | 'yaml' | 'markdown' | 'html'

/** Targets side by side. Writes nothing; exit 3 when a node could not be read or k3OS rejects its configuration. */
export function compareTargets(work: Work, output: Format, io: CommandIo): ExitCode {
  const document = comparison(work)
  const width = io.columns === undefined ? {} : { width: io.columns }
  const print: Readonly<Record<Format, () => string>> = {
    table: () => comparisonText(document, width),
    json: () => json(document),
    yaml: () => yaml(document),
    markdown: () => comparisonMarkdown(document),
    html: () => comparisonHtml(document),
  }
  io.out(print[output]())
  return exitOf(work)
}

/** Where one value goes. `path` is a value or anything above it: `k3os.labels`. Exit 64 when nothing stands there. */
export function explainPath(work: Work, path: string, output: Format, io: CommandIo): ExitCode {
  const rows = translateAll(work).flatMap(({ node, target, values }) =>
    values.filter((value) => isBelow(value.path, path)).map((value) => ({ node, target, value })),
  )
  if (rows.length === 0) {
    const known = work.nodes.flatMap(({ reading }) =>
      reading.status === 'merged' ? Object.keys(reading.config) : [],
    )
    throw new MigrateError(`no configuration has a value at ${path}`, {
      exitCode: exitCode.usage,
      hint: `values stand below: ${[...new Set(known)].join(', ')}; k3os-migrate config --origins prints all`,
    })
  }
  if (output === 'json' || output === 'yaml') {
    const document = {
      apiVersion: 'k3os-migrate/v1',
      kind: 'Explanation',
      path,
      values: rows.map(({ node, target, value }) => ({ node, target, ...printable(value) })),
    }
    io.out(output === 'json' ? json(document) : yaml(document))
  } else io.out(explanationText(rows, io.columns === undefined ? {} : { width: io.columns }))
  return exitOf(work)
}

function translateAll({ nodes, translators, tools }: Work): Row[] {
  return nodes.flatMap((node) =>
    translators.map((translator) => {
      const translation = translateNode(node, translator, tools)
      const values = node.reading.status === 'merged' ? valueFates(node.reading.config, translation) : []
      return { node: node.name, target: translator.id, translation, values }
    }),
  )
}

export function comparison(work: Work): Comparison {
  const rows = translateAll(work)
  return comparisonSchema.parse({
    apiVersion: 'k3os-migrate/v1',
    kind: 'Comparison',
    metadata: { toolVersion },
    targets: work.translators.map(({ id, title, requires }) => ({ id, title, rejoins: requires.rejoins })),
    nodes: [
      ...work.nodes.map(({ name }) => ({
        name,
        unread: null,
        targets: rows
          .filter(({ node }) => node === name)
          .map(({ target, values }) => ({
            target,
            counts: countFates(values),
            values: values.map(printable),
          })),
      })),
      ...work.unread.map(({ name, reason }) => ({ name, unread: reason, targets: [] })),
    ],
    losses: losses(
      rows.map(({ node, target, translation }) => ({ node, target, findings: translation.findings })),
    ),
  } satisfies Comparison)
}

function printable({
  path,
  fate,
  to,
  because,
}: ValueFate): Comparison['nodes'][number]['targets'][number]['values'][number] {
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

function exitOf({ nodes, unread }: Work): ExitCode {
  const rejected = nodes.some(({ reading }) => reading.status === 'rejected')
  return rejected || unread.length > 0 ? exitCode.inhibitors : exitCode.ok
}
