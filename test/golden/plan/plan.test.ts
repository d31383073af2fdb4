import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { planSchema, type Plan } from '../../../src/core/plan.ts'
import { json } from '../../../src/output/json.ts'
import { examplePlan } from '../../support/example-cluster.ts'

let folder: string
let made: Plan

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'golden-plan-'))
  await examplePlan(folder, { window: ['Mon-Fri 22:00-05:00 Europe/Berlin'] })
  made = planSchema.parse(JSON.parse(await readFile(join(folder, 'plan.json'), 'utf8')))
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

/** What depends on every byte of bundles and translations is shown as such: those have cases of their own. */
function withoutDigestsOfFiles(plan: Plan): Plan {
  const known = (digest: string) => (/^(sha256:)?[0-9a-f]{64}$/.test(digest) ? '(SHA-256)' : digest)
  return {
    ...plan,
    metadata: { ...plan.metadata, toolVersion: '(version)' },
    inventory: { ...plan.inventory, sha256: known(plan.inventory.sha256) },
    digest: known(plan.digest),
    nodes: plan.nodes.map((node) => ({
      ...node,
      fingerprint: {
        ...node.fingerprint,
        bundleSha256: known(node.fingerprint.bundleSha256),
        translationSha256: known(node.fingerprint.translationSha256),
      },
    })),
  }
}

test('the plan of the example cluster is as it was read last (else: npm test -- -u, and read it)', async () => {
  await expect(json(withoutDigestsOfFiles(made))).toMatchFileSnapshot('shops/plan.json')
})
