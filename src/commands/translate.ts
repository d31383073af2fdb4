import { join, resolve } from 'node:path'
import { readIfPresent, writeWhole } from '../adapters/files.ts'
import { exitCode, MigrateError, type ExitCode } from '../core/errors.ts'
import { isInhibitor, severities, sortFindings, type Finding } from '../core/findings.ts'
import { readConfig } from '../core/k3os/read.ts'
import { versionAtLeast } from '../core/k3s/version.ts'
import { translateNode, type NodeToTranslate } from '../core/translate-node.ts'
import type { Delivery, Translation, TranslateTools, Translator } from '../core/translation.ts'
import { findingsTable } from '../output/findings-table.ts'
import { table } from '../output/table.ts'
import { everyTranslator, findBeside, findTranslatorOrRefusal } from './target.ts'
import { talosSecrets } from './talos-secrets.ts'
import type { Work } from './compare.ts'
import type { CommandIo } from './io.ts'

export interface TranslateOptions {
  /** A k3OS config.yaml; alone it is enough. */
  readonly config?: string | undefined
  readonly inventory?: string | undefined
  /** One node of the inventory; without it all of them. */
  readonly node?: string | undefined
  readonly target?: string | undefined
  readonly allTargets?: boolean | undefined
  /** The files for a root tree beside k3OS. */
  readonly inPlace?: boolean | undefined
  /** Of the maintained image, where it is not that of the node: `v1.31.5+k3s1`. */
  readonly k3sVersion?: string | undefined
  /** Also the secrets of the new cluster, which nobody else has. */
  readonly withSecrets?: boolean | undefined
  /** Write nothing, show what each target makes of it. */
  readonly compare?: boolean | undefined
  /** Write nothing, show where this value goes: `k3os.labels`. */
  readonly explain?: string | undefined
  /** Folder to write to, one folder in it for each node; with all targets one for each target around them. */
  readonly out: string
  readonly output: 'table' | 'json' | 'yaml' | 'markdown' | 'html'
}

interface Unread {
  readonly name: string
  readonly reason: string
}

interface Translated extends Omit<Translation, 'files'> {
  readonly files: readonly Pick<Translation['files'][number], 'path' | 'mode'>[]
  readonly name: string
  readonly target: string
  /** Below the output folder. */
  readonly folder: string
}

/** Exit 0, or 3 when something stops the move: an inhibitor, or a node that could not be read. */
export async function translate(options: TranslateOptions, io: CommandIo): Promise<ExitCode> {
  const chosen = await translatorsFor(options)
  const writeSecrets = await talosSecrets(options, io)
  const { nodes, unread } = await sources(options, io)
  const { templateTools } = await import('../adapters/templates.ts')
  const tools = templateTools()
  if (options.compare === true || options.explain !== undefined) {
    const { compareTargets, explainPath } = await import('./compare.ts')
    const work = { nodes, unread, translators: chosen, tools }
    return options.explain === undefined
      ? compareTargets(work, options.output, io)
      : explainPath(work, options.explain, options.output, io)
  }
  const translated: Translated[] = []
  for await (const node of nodes)
    for (const translator of chosen) {
      const { result, folder } = translateOne(node, translator, tools, options.allTargets === true)
      const place = resolve(io.cwd, options.out, folder)
      await Promise.all(
        result.files.map(({ path, content, mode }) =>
          writeWhole(resolve(place, path), content, mode, io.signal),
        ),
      )
      // What is in the files is not kept: secrets, and more than fits into memory for a large fleet.
      const files = result.files.map(({ path, mode }) => ({ path, mode }))
      translated.push({ ...result, files, name: node.name, target: translator.id, folder })
    }
  await writeSecrets?.()
  await print(options, translated, unread, io)
  const stops = unread.length > 0 || translated.some((node) => node.findings.some(isInhibitor))
  return stops ? exitCode.inhibitors : exitCode.ok
}

/** The one that is asked for; all of them where the question is about all. */
async function translatorsFor(options: TranslateOptions): Promise<Translator[]> {
  const { target, allTargets, compare, explain } = options
  const { output } = options
  if ((output === 'markdown' || output === 'html') && compare !== true)
    throw new MigrateError(`-o ${output} is for --compare`, {
      exitCode: exitCode.usage,
      hint: '-o table, json or yaml',
    })
  if (target !== undefined && allTargets === true)
    throw new MigrateError('--target and --all-targets exclude each other', {
      exitCode: exitCode.usage,
      hint: 'k3os-migrate translate --help',
    })
  if (options.k3sVersion !== undefined) return [await withK3s(options.k3sVersion, target)]
  if (options.inPlace === true) {
    if (target !== undefined) return [await findBeside(target)]
    throw new MigrateError('--in-place is for one target, and --target is missing', {
      exitCode: exitCode.usage,
      hint: 'k3os-migrate translate config.yaml --target debian --in-place',
    })
  }
  if (target !== undefined) return [await findTranslatorOrRefusal(target)]
  if (allTargets === true || compare === true || explain !== undefined) return everyTranslator()
  throw new MigrateError('--target says which system to translate to, and is missing', {
    exitCode: exitCode.usage,
    hint: 'k3os-migrate targets lists them; --all-targets takes all, --compare shows them side by side',
  })
}

/** All other targets run the k3s of the node. */
async function withK3s(version: string, target: string | undefined): Promise<Translator> {
  if (target !== 'k3os-maintained')
    throw new MigrateError(
      '--k3s-version is for --target k3os-maintained: all others take the k3s of the node',
      {
        exitCode: exitCode.usage,
        hint: 'k3os-migrate translate config.yaml --target k3os-maintained --k3s-version v1.31.5+k3s1',
      },
    )
  if (versionAtLeast(version, '0.0.0') === null)
    throw new MigrateError(`"${version}" is no version of k3s`, {
      exitCode: exitCode.usage,
      hint: 'as k3s names them: v1.31.5+k3s1',
    })
  return (await import('../../translators/k3os-maintained/index.ts')).maintained(
    version.startsWith('v') ? version : `v${version}`,
  )
}

/** What reading found belongs to the answer as well: a key that k3OS drops is not in the translation either. */
function translateOne(
  node: NodeToTranslate,
  translator: Translator,
  tools: TranslateTools,
  allTargets: boolean,
): { readonly result: Translation; readonly folder: string } {
  const result = translateNode(node, translator, tools)
  const findings = sortFindings([...node.reading.findings, ...result.findings])
  const folder = folderName(node.name)
  return { result: { ...result, findings }, folder: allTargets ? join(translator.id, folder) : folder }
}

async function sources(
  options: TranslateOptions,
  io: CommandIo,
): Promise<{ readonly nodes: Work['nodes']; readonly unread: readonly Unread[] }> {
  const { config, inventory } = options
  const usage = 'k3os-migrate translate config.yaml --target debian --out DIR'
  if (config !== undefined && inventory === undefined) {
    if (options.node !== undefined)
      throw new MigrateError('--node chooses a node of an inventory, and none is given', {
        exitCode: exitCode.usage,
        hint: 'k3os-migrate translate --inventory inventory.yaml --node NAME --target debian',
      })
    const bytes = await readIfPresent(resolve(io.cwd, config))
    if (bytes === undefined)
      throw new MigrateError(`cannot read ${config}: it does not exist`, {
        exitCode: exitCode.io,
        hint: usage,
      })
    const reading = readConfig({ system: { file: config, bytes }, configD: [] })
    const name = (reading.status === 'merged' ? reading.config.hostname : undefined) ?? 'node'
    return {
      nodes: [{ name, reading, bundle: null, facts: null, nodeObject: null, nonce: null }],
      unread: [],
    }
  }
  if (config === undefined && inventory !== undefined) {
    const { nodesOfInventory } = await import('./translate-inventory.ts')
    return nodesOfInventory(resolve(io.cwd, inventory), options.node)
  }
  throw new MigrateError('give either a configuration file or --inventory', {
    exitCode: exitCode.usage,
    hint: usage,
  })
}

/** A node name is a folder name here, so it must not lead anywhere else. */
function folderName(name: string): string {
  if (/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(name)) return name
  throw new MigrateError(`${JSON.stringify(name)} is no name for a node`, {
    exitCode: exitCode.badInput,
    hint: 'correct "hostname" in the configuration: letters, digits, dots and dashes',
  })
}

async function print(
  options: TranslateOptions,
  translated: readonly Translated[],
  unread: readonly Unread[],
  io: CommandIo,
): Promise<void> {
  const findings = translated.flatMap((node) => node.findings)
  if (options.output === 'table') {
    const rows = [
      ...translated.map((node) => [
        node.name,
        node.target,
        String(node.files.length),
        countText(node.findings),
      ]),
      ...unread.map((node) => [node.name, options.target ?? 'all', '0', `could not be read: ${node.reason}`]),
    ]
    io.out(table(['NODE', 'TARGET', 'FILES', 'FINDINGS'], rows, { right: ['FILES'] }))
    if (findings.length > 0)
      io.err(findingsTable(findings, io.columns === undefined ? {} : { width: io.columns }))
    for (const node of translated) for (const line of deliveryText(node, options)) io.err(`${line}\n`)
    return
  }
  const document = {
    apiVersion: 'k3os-migrate/v1',
    kind: 'Translation',
    target: options.target ?? null,
    nodes: [
      // Contents hold secrets: they are in the files only.
      ...translated.map(({ name, target, files, delivery, findings: said, trace }) => ({
        name,
        target,
        status: 'translated',
        files: files.map(({ path, mode }) => ({ path, mode: octal(mode) })),
        delivery: printable(delivery),
        findings: said,
        trace,
      })),
      ...unread.map(({ name, reason }) => ({ name, status: 'error', reason })),
    ],
  }
  if (options.output === 'json') io.out((await import('../output/json.ts')).json(document))
  else io.out((await import('../core/yaml-text.ts')).yaml(document))
}

/** `1 high, 3 low`, worst first. */
function countText(findings: readonly Finding[]): string {
  const failed = findings.filter((found) => found.result === 'fail' || found.result === 'error')
  const counts = severities
    .map((severity) => [failed.filter((found) => found.severity === severity).length, severity] as const)
    .filter(([count]) => count > 0)
  return counts.length === 0 ? 'none' : counts.map(([count, severity]) => `${count} ${severity}`).join(', ')
}

/** Modes as people read them. */
function printable(delivery: Delivery): object {
  if (delivery.kind !== 'seed') return delivery
  return { ...delivery, payload: delivery.payload.map((file) => ({ ...file, mode: octal(file.mode) })) }
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0')
}

function deliveryText({ name, folder, delivery }: Translated, { out }: TranslateOptions): string[] {
  const where = join(out, folder)
  switch (delivery.kind) {
    case 'none':
      return [`${name}: nothing to deliver: ${delivery.reason}`]
    case 'tree':
      return [
        `${name}: ${join(where, delivery.file)} is laid over the root tree beside k3OS; to look at it: tar -tvf ${join(where, delivery.file)}`,
      ]
    case 'push':
      return [
        `${name}: boot ${delivery.image}, then: ${delivery.push}`,
        `${name}: every step is in ${join(where, 'MOVE.md')}`,
      ]
    case 'seed':
      return [
        `${name}: ${delivery.files.join(', ')} in ${where} ${delivery.files.length === 1 ? 'belongs' : 'belong'} ${placeText(delivery)}`,
        ...(delivery.kernelArguments.length === 0
          ? []
          : [`${name}: kernel arguments: ${delivery.kernelArguments.join(' ')}`]),
        ...delivery.payload.map(({ from, to }) => `${name}: ${from} of the k3OS node becomes ${to}`),
        ...(delivery.gate === null ? [] : [`${name}: ${delivery.gate.opens}`]),
      ]
  }
}

function placeText({ label, place, image }: Extract<Delivery, { kind: 'seed' }>): string {
  return place === 'new'
    ? `on a file system with the label ${label}, beside ${image}`
    : `on the file system with the label ${label} that ${image} brings along`
}
