import { z } from 'zod'
import { assessmentSchema } from '../core/assessment.ts'
import { finalizePlanSchema } from '../core/finalize.ts'
import { evidenceVerdictSchema } from '../core/evidence-verdict.ts'
import { eventSchema } from '../core/events.ts'
import { evidenceSchema } from '../core/evidence.ts'
import { comparisonSchema } from '../core/comparison.ts'
import { treeManifestSchema } from '../core/image/root-tree.ts'
import { inventorySchema } from '../core/inventory.ts'
import { outcomeSchema } from '../core/outcome.ts'
import { planSchema } from '../core/plan.ts'
import { clusterRunSchema } from '../core/run-record.ts'
import { targetsSchema } from '../core/targets.ts'
import { json } from './json.ts'

const documents = {
  Inventory: inventorySchema,
  Assessment: assessmentSchema,
  Plan: planSchema,
  Outcome: outcomeSchema,
  Event: eventSchema,
  ClusterRun: clusterRunSchema,
  Comparison: comparisonSchema,
  Targets: targetsSchema,
  Evidence: evidenceSchema,
  EvidenceVerdict: evidenceVerdictSchema,
  FinalizePlan: finalizePlanSchema,
  RootTree: treeManifestSchema,
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
