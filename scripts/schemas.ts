/**
 * Writes the JSON Schemas of the documents to `schemas/`. They are committed, so that editors and other programs can use
 * them without this tool; a test fails when they are not what the code says.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { documentSchemas } from '../src/output/document-schemas.ts'

const folder = join(import.meta.dirname, '../schemas')
mkdirSync(folder, { recursive: true })
for (const [file, text] of documentSchemas()) writeFileSync(join(folder, file), text)
