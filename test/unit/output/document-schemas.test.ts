import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { documentSchemas } from '../../../src/output/document-schemas.ts'

const folder = fileURLToPath(new URL('../../../schemas/', import.meta.url))

test.each([...documentSchemas()])('%s is what the code says (else: npm run schemas)', (file, text) => {
  expect(readFileSync(`${folder}${file}`, 'utf8')).toBe(text)
})

test('there are no others', () => {
  expect(readdirSync(folder).toSorted()).toEqual([...documentSchemas().keys()].toSorted())
})

test('a document that is not known by its kind is refused', () => {
  const schema = JSON.parse(documentSchemas().get('plan.schema.json') ?? '{}') as {
    properties: { kind: unknown }
    additionalProperties: unknown
  }
  expect(schema.properties.kind).toEqual({ type: 'string', const: 'Plan' })
  expect(schema.additionalProperties).toBe(false)
})
