import { isMap, isScalar, isSeq, parseAllDocuments, type YAMLMap } from 'yaml'

/** What an object says of itself; never what is in it. */
export interface ManifestObject {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace: string | null
  readonly name: string
}

/**
 * The objects of a manifest, YAML or JSON, in their order; those of a List one by one. undefined for a text that is none.
 * Aliases are not followed: they could make a small text endless, and nobody writes a version with one.
 */
export function manifestObjects(text: string): ManifestObject[] | undefined {
  const documents = parseAllDocuments(text, { uniqueKeys: false, logLevel: 'silent' })
  const found: ManifestObject[] = []
  for (const { contents, errors } of documents) {
    const empty = contents === null || (isScalar(contents) && contents.value === null)
    if (empty && errors.length === 0) continue
    if (!isMap(contents) || errors.length > 0) return undefined
    const items = contents.get('items', true)
    const kind = textAt(contents, ['kind']) ?? ''
    const members = kind.endsWith('List') && isSeq(items) ? items.items : [contents]
    found.push(...members.flatMap((member) => (isMap(member) ? objectOf(member) : [])))
  }
  return found
}

function objectOf(map: YAMLMap): ManifestObject[] {
  const apiVersion = textAt(map, ['apiVersion'])
  const kind = textAt(map, ['kind'])
  if (apiVersion === null || kind === null) return []
  const namespace = textAt(map, ['metadata', 'namespace'])
  return [{ apiVersion, kind, namespace, name: textAt(map, ['metadata', 'name']) ?? '' }]
}

function textAt(map: YAMLMap, path: readonly string[]): string | null {
  const value = map.getIn(path)
  return typeof value === 'string' && value !== '' ? value : null
}
