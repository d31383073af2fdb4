import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Ajv } from 'ajv'

/**
 * What the schema of SARIF 2.1.0 has against a document. The package has it for an older ajv: it says draft-04 and is
 * draft-07, and its patterns are not for the `u` flag.
 */
export function sarifErrors(document: unknown): readonly unknown[] {
  const file = createRequire(import.meta.url).resolve(
    '@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json',
  )
  const { id: _, ...schema } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  const ajv = new Ajv({ strict: false, unicodeRegExp: false, allErrors: true, validateFormats: false })
  const validate = ajv.compile({ ...schema, $schema: 'http://json-schema.org/draft-07/schema#' })
  return validate(document) ? [] : (validate.errors ?? ['invalid'])
}
