import { z } from 'zod'
import { assessmentSchema } from '../core/assessment.ts'
import { inventorySchema } from '../core/inventory.ts'
import { outcomeSchema } from '../core/outcome.ts'
import { planSchema } from '../core/plan.ts'
import { json } from './json.ts'

const documents = {
  Inventory: inventorySchema,
  Assessment: assessmentSchema,
  Plan: planSchema,
  Outcome: outcomeSchema,
} as const

/** JSON Schema (2020-12) of each document, by file name. */
export function documentSchemas(): Map<string, string> {
  return new Map(
    Object.entries(documents).map(([kind, schema]) => [
      `${kind.toLowerCase()}.schema.json`,
      json({ title: kind, ...z.toJSONSchema(schema, { target: 'draft-2020-12' }) }),
    ]),
  )
}
