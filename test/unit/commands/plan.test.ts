import { afterAll, beforeAll, expect, test } from 'vitest'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { plan } from '../../../src/commands/plan.ts'
import { exitCode } from '../../../src/core/errors.ts'
import { examplePlan } from '../../support/example-cluster.ts'
import { recordingIo } from '../../support/recording-io.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plan-'))
  await examplePlan(folder)
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

test.each([
  ['talos', 'Talos Linux 1.14.1 grows a new cluster', 'inventory.yaml --target talos'],
  [
    'elemental-rancher',
    'Elemental with Rancher grows a new cluster',
    'inventory.yaml --target elemental-rancher',
  ],
  ['k3os-maintained', 'k3OS, maintained image does not exist yet', 'inventory.yaml --target k3os-maintained'],
  ['bottlerocket', 'the target bottlerocket is not supported', 'supported targets: debian'],
  ['windows', 'the target "windows" is not supported', 'supported targets: debian'],
])('refuses to plan for %s, and says what there is', async (target, message, hint) => {
  const options = { inventory: 'inventory.yaml', byHand: true, user: 'rancher', maxAge: 24 }
  const planning = plan({ ...options, target, out: 'refused.json', output: 'json' }, recordingIo(folder))
  await expect(planning).rejects.toMatchObject({
    exitCode: exitCode.usage,
    message: expect.stringContaining(message),
    hint: expect.stringContaining(hint),
  })
  expect(await readdir(folder)).not.toContain('refused.json')
})
