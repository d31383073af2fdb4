import { isCollection, isMap, isScalar, isSeq, parseDocument } from 'yaml'
import { findFlag, flagRefusal, isRepeatable, type K3sRole } from './flags.ts'

export interface UserConfig {
  readonly settings: readonly { readonly key: string; readonly value: string | boolean | readonly string[] }[]
  /** Keys that are not carried, each with the reason. */
  readonly refused: readonly { readonly key: string; readonly reason: string }[]
}

/**
 * A `config.yaml` somebody wrote for k3s by hand, read as k3s-io/k3s pkg/configfilearg/parser.go does: one level, each
 * scalar one flag, each list item one flag, `key+` like `key`. A text instead of an answer says why k3s cannot read it.
 */
export function readUserConfig(text: string, role: K3sRole, version: string | null): UserConfig | string {
  // k3s reads YAML 1.1; merge keys and times do not occur in flags, numbers keep their spelling below.
  const document = parseDocument(text, { version: '1.1', stringKeys: true })
  const error = document.errors[0]
  if (error !== undefined) return `it is no YAML (${error.code})`
  if (document.contents === null) return { settings: [], refused: [] }
  if (!isMap(document.contents)) return 'it is no map of flags'
  const settings: { key: string; value: string | boolean | readonly string[] }[] = []
  const refused: { key: string; reason: string }[] = []
  for (const { key: rawKey, value } of document.contents.items) {
    const written = String(isScalar(rawKey) ? rawKey.value : rawKey)
    const flag = findFlag(written.replace(/\+$/, ''))
    const refusal = flag === undefined ? 'no flag of k3s has this name' : flagRefusal(flag, role, version)
    const items = isSeq(value) ? value.items : [value]
    if (flag === undefined || refusal !== null) refused.push({ key: written, reason: refusal ?? '' })
    else if (items.some((item) => isCollection(item)))
      refused.push({ key: written, reason: 'k3s takes no nested values' })
    else {
      const values = items.map(scalarText)
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
