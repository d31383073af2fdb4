import { delimiter, join } from 'node:path'
import { KubeConfig } from '@kubernetes/client-node'
import { exitCode, MigrateError } from '../../core/errors.ts'

export interface KubeconfigChoice {
  /** `--kubeconfig`: this file only, and it must exist. */
  readonly kubeconfig?: string | undefined
  /** A kubeconfig that was read elsewhere, with the name it has in messages; goes before files. */
  readonly text?: { readonly name: string; readonly content: string } | undefined
  /** `--context`; without it the current context of the kubeconfig. */
  readonly context?: string | undefined
}

export interface LoadedKubeconfig {
  readonly config: KubeConfig
  /** Name of the context that is used. */
  readonly context: string
  /** URL without credentials. */
  readonly server: string
}

type Environment = Readonly<Record<string, string | undefined>>

const k3sKubeconfig = '/etc/rancher/k3s/k3s.yaml'
const hint = `say which cluster with --kubeconfig FILE (on a k3s server: ${k3sKubeconfig})`

/**
 * Finds the cluster by kubectl's rules: `--kubeconfig`, else the files of `KUBECONFIG` (missing ones are skipped, of two
 * entries with one name and of two current contexts the first counts), else `~/.kube/config`. Never guesses a cluster:
 * no in-cluster account, no localhost.
 */
export function loadKubeconfig(choice: KubeconfigChoice, env: Environment): LoadedKubeconfig {
  const { files, found } = readFiles(choice, env)
  if (found.length === 0)
    throw new MigrateError(`there is no kubeconfig: ${files.join(', ')} does not exist`, {
      exitCode: exitCode.badInput,
      hint,
    })
  const config = merge(found)
  const context = chooseContext(config, choice.context, files)
  config.setCurrentContext(context)
  const cluster = config.getCurrentCluster()
  const entry = config.getContextObject(context)
  if (cluster === null)
    throw unusable(context, `names the cluster ${JSON.stringify(entry?.cluster)}, which is not there`)
  if (config.getCurrentUser() === null)
    throw unusable(context, `names the user ${JSON.stringify(entry?.user)}, which is not there`)
  const server = withoutCredentials(context, cluster.server)
  if (server.startsWith('http:') && !cluster.skipTLSVerify)
    throw unusable(
      context,
      `reaches ${server} without encryption; set insecure-skip-tls-verify: true if that is meant`,
    )
  return { config, context, server }
}

function readFiles(
  choice: KubeconfigChoice,
  env: Environment,
): { readonly files: readonly string[]; readonly found: readonly KubeConfig[] } {
  if (choice.text !== undefined) {
    const { name, content } = choice.text
    const config = readWith(name, (into) => into.loadFromString(content))
    return { files: [name], found: config === undefined ? [] : [config] }
  }
  if (choice.kubeconfig !== undefined) {
    const config = readOne(choice.kubeconfig)
    return { files: [choice.kubeconfig], found: config === undefined ? [] : [config] }
  }
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '')
  const files = listed.length > 0 ? listed : [join(env['HOME'] ?? '', '.kube', 'config')]
  return { files, found: files.map(readOne).filter((config) => config !== undefined) }
}

/** undefined for a file that does not exist. */
function readOne(file: string): KubeConfig | undefined {
  return readWith(file, (into) => into.loadFromFile(file))
}

function readWith(file: string, load: (into: KubeConfig) => void): KubeConfig | undefined {
  const config = new KubeConfig()
  try {
    load(config)
    return config
  } catch (error) {
    if (isNodeError(error) && error.code === 'ENOENT') return undefined
    throw new MigrateError(`the kubeconfig ${file} cannot be read: ${readProblem(error)}`, {
      exitCode: exitCode.badInput,
    })
  }
}

/** The parser's own message quotes the line it fell over, and that line may hold a key or a token. */
function readProblem(error: unknown): string {
  if (isNodeError(error)) return error.code
  if (typeof error === 'object' && error !== null && 'reason' in error && 'mark' in error) {
    const { mark, reason } = error
    const line =
      typeof mark === 'object' && mark !== null && 'line' in mark && typeof mark.line === 'number'
        ? ` in line ${mark.line + 1}`
        : ''
    return `it is not YAML (${String(reason)}${line})`
  }
  if (error instanceof Error && /^(clusters|users|contexts)\[\d+\]\.[\w.]+ is missing$/.test(error.message))
    return error.message
  return 'it is not a kubeconfig'
}

function isNodeError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
}

/** The library lets the last file win and refuses duplicates; kubectl lets the first win. */
function merge(configs: readonly KubeConfig[]): KubeConfig {
  const merged = new KubeConfig()
  merged.loadFromOptions({
    clusters: firstOfEachName(configs.flatMap((config) => config.getClusters())),
    users: firstOfEachName(configs.flatMap((config) => config.getUsers())),
    contexts: firstOfEachName(configs.flatMap((config) => config.getContexts())),
    currentContext: configs.map((config) => config.getCurrentContext()).find(Boolean) ?? '',
  })
  return merged
}

function firstOfEachName<T extends { readonly name: string }>(entries: readonly T[]): T[] {
  return [...new Map(entries.toReversed().map((entry) => [entry.name, entry])).values()].toReversed()
}

function chooseContext(config: KubeConfig, wanted: string | undefined, files: readonly string[]): string {
  const names = config.getContexts().map(({ name }) => name)
  const known = names.length === 0 ? 'it has none' : `it has: ${names.join(', ')}`
  const context = wanted ?? config.getCurrentContext()
  if (context === '')
    throw new MigrateError(`${files.join(', ')} sets no current context; ${known}`, {
      exitCode: exitCode.usage,
      hint: 'choose one with --context NAME',
    })
  if (!names.includes(context))
    throw new MigrateError(
      `the kubeconfig has no context ${JSON.stringify(context)}; ${known}`,
      wanted === undefined
        ? { exitCode: exitCode.badInput, hint: 'choose one with --context NAME' }
        : { exitCode: exitCode.usage, hint: 'kubectl config get-contexts' },
    )
  return context
}

function withoutCredentials(context: string, server: string): string {
  if (!URL.canParse(server)) throw unusable(context, 'has a server that is not a URL')
  const url = new URL(server)
  url.username = ''
  url.password = ''
  return url.toString().replace(/\/$/, '')
}

function unusable(context: string, why: string): MigrateError {
  return new MigrateError(`the context ${context} ${why}`, { exitCode: exitCode.badInput })
}
