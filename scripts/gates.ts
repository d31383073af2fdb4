/** Writes `docs/gates.md`. It is committed; a test fails when it is not what the rules and their cases say. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gatesPage } from '../test/support/gates-page.ts'

writeFileSync(join(import.meta.dirname, '../docs/gates.md'), gatesPage())
