import { maskArguments, maskVariable } from '../kube-secrets.ts'
import type { NodeFacts } from '../inventory.ts'
import type { ServiceFacts } from '../machine-facts.ts'
import { manifestObjects } from '../manifest-objects.ts'
import type { Evidence } from './evidence.ts'
import { readK3sConfig } from './k3s-config.ts'
import { lookupFile } from './lookup.ts'

const script = '/etc/init.d/k3s-service'
/** In the order the service reads them (rancher/k3os overlay/etc/conf.d, k3s-io/k3s install.sh). */
const environmentFiles = ['/etc/environment', '/etc/rancher/k3s/k3s-service.env'] as const
const server = '/var/lib/rancher/k3s/server'

export function readService(evidence: Evidence, role: NodeFacts['k3s']['role']): ServiceFacts {
  const words = readWords(evidence)
  const variables = environmentFiles.flatMap((file) => readVariables(evidence, file))
  return {
    arguments: words === null ? null : maskArguments(words),
    environment: variables.map(({ file, name, value }) => ({ file, name, value: maskVariable(name, value) })),
    token: readTokenKind(evidence, role, words, variables),
    manifests: filesBelow(evidence, `${server}/manifests`),
    ...(role === 'server' ? { manifestObjects: readManifestObjects(evidence) } : {}),
    charts: filesBelow(evidence, `${server}/static/charts`),
    images: filesBelow(evidence, '/var/lib/rancher/k3s/agent/images'),
    logBytes: sizeOf(evidence, '/var/log/k3s-service.log'),
  }
}

/**
 * The arguments in the service script: a double-quoted text of shell words, each in single quotes on a line of its own,
 * up to the redirection of the log (k3s-io/k3s install.sh, create_openrc_service_file).
 */
function readWords(evidence: Evidence): string[] | null {
  const text = evidence.text(script)
  if (text === undefined || text === null) return null
  const [, quoted] = /^command_args="((?:[^"\\]|\\[^])*)"/m.exec(text) ?? []
  if (quoted === undefined) return evidence.fail(`${script}: command_args`, 'it has an unknown form')
  const unquoted = quoted.replaceAll(/\\\n/g, ' ').replaceAll(/\\(["$`\\])/g, '$1')
  const [words = ''] = unquoted.split('>>')
  return shellWords(words)
}

/** Words as a shell splits them: single quotes keep everything, a backslash keeps the next character. */
function shellWords(text: string): string[] {
  const words = text.matchAll(/(?:'[^']*'|"[^"]*"|\\[^]|[^\s'"\\])+/g)
  return [...words].map(([word]) =>
    word.replaceAll(/'([^']*)'|"([^"]*)"|\\([^])/g, (_all, ...parts: (string | undefined)[]) =>
      parts
        .slice(0, 3)
        .map((part) => part ?? '')
        .join(''),
    ),
  )
}

interface Variable {
  readonly file: string
  readonly name: string
  readonly value: string
}

function readVariables(evidence: Evidence, file: string): Variable[] {
  return (evidence.text(file) ?? '').split('\n').flatMap((line) => {
    const [, name, value = ''] = /^\s*(?:export\s+)?["']?([A-Za-z_]\w*)=(.*)$/.exec(line) ?? []
    return name === undefined ? [] : [{ file, name, value: value.trim().replaceAll(/^["']|["']$/g, '') }]
  })
}

function readTokenKind(
  evidence: Evidence,
  role: NodeFacts['k3s']['role'],
  words: readonly string[] | null,
  variables: readonly Variable[],
): ServiceFacts['token'] {
  if (role === 'none') return 'none'
  const given =
    flagValue(words ?? []) ??
    variables.findLast(({ name, value }) => tokenVariables.test(name) && value !== '')?.value ??
    configuredToken(evidence)
  if (given !== undefined) return tokenKind(given)
  if (role !== 'server') return 'unknown'
  const own = evidence.text(`${server}/token`)
  if (own === null) return 'unknown'
  return own === undefined ? 'none' : tokenKind(own.trim())
}

const tokenVariables = /^K3S_(TOKEN|CLUSTER_SECRET)$/

function flagValue(words: readonly string[]): string | undefined {
  for (const [index, word] of words.entries()) {
    const [, value] = /^--?(?:token|t|cluster-secret)(?:=(.*))?$/.exec(word) ?? [null, null]
    if (value !== null) return value ?? words[index + 1]
  }
  return undefined
}

function configuredToken(evidence: Evidence): string | undefined {
  const token = readK3sConfig(evidence)?.get('token')
  return typeof token === 'string' ? token : undefined
}

/** k3s-io/k3s pkg/clientaccess/token.go */
function tokenKind(token: string): ServiceFacts['token'] {
  if (/^(K10[0-9a-f]+::)?[a-z0-9]{6}\.[a-z0-9]{16}$/.test(token)) return 'bootstrap'
  return token.startsWith('K10') && token.includes('::') ? 'secure' : 'short'
}

function filesBelow(evidence: Evidence, directory: string): string[] {
  // Says so when nobody could look.
  evidence.names(directory)
  const { files, seen, links } = evidence.bundle
  return [files, seen, links]
    .flatMap((map) => [...map.keys()])
    .filter((path) => path.startsWith(`${directory}/`))
    .map((path) => path.slice(directory.length + 1))
    .toSorted()
}

/** k3s-io/k3s pkg/deploy/controller.go: these endings; a file `x.yaml.skip` beside `x.yaml` keeps it from being applied. */
function readManifestObjects(evidence: Evidence): NonNullable<ServiceFacts['manifestObjects']> {
  const directory = `${server}/manifests`
  const files = [...evidence.bundle.files.keys()].filter(
    (path) => path.startsWith(`${directory}/`) && /\.(ya?ml|json)$/i.test(path),
  )
  const skipped = new Set(filesBelow(evidence, directory).filter((file) => file.endsWith('.skip')))
  return files.toSorted().flatMap((path) => {
    const file = path.slice(directory.length + 1)
    if (skipped.has(`${file}.skip`)) return []
    const objects = manifestObjects(evidence.text(path) ?? '')
    if (objects !== undefined) return objects.map((object) => ({ file, ...object }))
    evidence.fail(path, 'it is not YAML that can be read')
    return []
  })
}

function sizeOf(evidence: Evidence, path: string): number | null {
  const seen = evidence.bundle.seen.get(path)
  if (seen !== undefined) return seen.sizeBytes
  const file = lookupFile(evidence.bundle, path)
  if (file.status === 'found') return file.value.bytes.length
  return file.status === 'absent' ? 0 : evidence.fail(path, file.reason)
}
