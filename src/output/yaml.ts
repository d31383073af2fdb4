import { stringify } from 'yaml'

/** One YAML document. Quoted so that YAML 1.1 readers see the same values (`yes`, `1:30`); lines are never folded. */
export function yaml(document: unknown): string {
  return stringify(document, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false })
}
