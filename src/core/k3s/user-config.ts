import { isCollection, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import { findFlag, flagRefusal, isRepeatable, type K3sFlag, type K3sRole } from './flags.ts'

export interface UserConfig {
  readonly settings: readonly { readonly key: string; readonly value: string | boolean | readonly string[] }[]
  /** Keys that are not carried, each with the reason. */
  readonly refused: readonly { readonly key: string; readonly reason: string }[]
}

/** One key of such a file. */
export interface FileFlag {
  readonly written: string
  /** Undefined when no flag of k3s has this name. */
  readonly flag: K3sFlag | undefined
  /** A scalar is one value, a list one for each item; lines count from 1. */
  readonly values: readonly { readonly text: string; readonly line: number }[]
  /** Holds what is no scalar: k3s takes none of it. */
  readonly nested: boolean
}

/**
 * The keys of a `config.yaml` somebody wrote for k3s by hand, read as k3s-io/k3s pkg/configfilearg/parser.go does: one
 * level, each scalar one flag, each list item one flag, `key+` like `key`. A text instead of an answer says why k3s cannot
 * read it.
 */
export function readFlagFile(text: string): readonly FileFlag[] | string {
  const lines = new LineCounter()
  // k3s reads YAML 1.1; merge keys and times do not occur in flags, numbers keep their spelling below.
  const document = parseDocument(text, { version: '1.1', stringKeys: true, lineCounter: lines })
  const error = document.errors[0]
  if (error !== undefined) return `it is no YAML (${error.code})`
  if (document.contents === null) return []
  if (!isMap(document.contents)) return 'it is no map of flags'
  return document.contents.items.map(({ key: rawKey, value }) => {
    const written = String(isScalar(rawKey) ? rawKey.value : rawKey)
    const items: readonly unknown[] = isSeq(value) ? value.items : [value]
    const line = (node: unknown): number => lines.linePos(startOf(node) ?? startOf(rawKey) ?? 0).line
    return {
      written,
      flag: findFlag(written.replace(/\+$/, '')),
      values: items.map((item) => ({ text: scalarText(item), line: line(item) })),
      nested: items.some((item) => isCollection(item)),
    }
  })
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined
}

/** The same for one role and version: what k3s makes of the keys. */
export function readUserConfig(text: string, role: K3sRole, version: string | null): UserConfig | string {
  const read = readFlagFile(text)
  if (typeof read === 'string') return read
  const settings: { key: string; value: string | boolean | readonly string[] }[] = []
  const refused: { key: string; reason: string }[] = []
  for (const { written, flag, values: items, nested } of read) {
    const refusal = flag === undefined ? 'no flag of k3s has this name' : flagRefusal(flag, role, version)
    if (flag === undefined || refusal !== null) refused.push({ key: written, reason: refusal ?? '' })
    else if (nested) refused.push({ key: written, reason: 'k3s takes no nested values' })
    else {
      const values = items.map((item) => item.text)
      const single = values.at(-1) ?? ''
      if (isRepeatable(flag, version)) settings.push({ key: flag.name, value: values })
      else if (values.length > 0)
        settings.push({
          key: flag.name === 'cluster-secret' ? 'token' : flag.name,
          value: flag.type === 'bool' ? single === 'true' : single,
        })
    }
  }
  return { settings, refused }
}

function scalarText(node: unknown): string {
  if (!isScalar(node)) return ''
  const { value, source } = node
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  return value === null ? '' : (source ?? '')
}
