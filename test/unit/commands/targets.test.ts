import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { stringify } from 'yaml'
import { targets, type TargetsOptions } from '../../../src/commands/targets.ts'
import { targetsSchema } from '../../../src/core/targets.ts'
import { targetsHtml } from '../../../src/output/report/targets-html.ts'
import { translators } from '../../../translators/index.ts'
import { fiveNodes, fiveNodesInventory } from '../../support/five-nodes.ts'
import { recordingIo } from '../../support/recording-io.ts'

const clock = { now: () => new Date('2026-11-24T12:00:00Z') }

async function run(options: TargetsOptions, files: Record<string, string> = {}): Promise<string> {
  const cwd = mkdtempSync(join(tmpdir(), 'targets-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text)
  const io = recordingIo(cwd)
  expect(await targets(options, io, clock)).toBe(0)
  return io.stdout()
}

describe('the targets', () => {
  it('are a document with a published schema', async () => {
    const document = targetsSchema.parse(JSON.parse(await run({ output: 'json' })))
    expect(document.targets.map(({ id }) => id)).toEqual(Object.keys(translators))
    expect(document.refused).toEqual([
      { id: 'bottlerocket', reason: 'Bottlerocket runs its own Kubernetes and cannot run k3s' },
    ])
    expect(document.fit).toBeNull()
  })

  it.each(['table', 'markdown', 'html'] as const)('are all named by -o %s', async (output) => {
    const text = await run({ output })
    expect([...Object.keys(translators), 'bottlerocket'].filter((id) => !text.includes(id))).toEqual([])
  })

  it.each(['json', 'html'] as const)('are held against an inventory by -o %s', async (output) => {
    const text = await run(
      { inventory: 'inventory.yaml', output, target: ['debian', 'talos'] },
      { 'inventory.yaml': stringify(fiveNodesInventory()) },
    )
    if (output === 'json') expect(targetsSchema.parse(JSON.parse(text)).fit?.length).toBeGreaterThan(0)
    else expect(text).toContain('Fit by node and target')
  })
})

test('hostile names of nodes stay text, and each cell of the page names its target', () => {
  const { metadata, targets: all, fit } = fiveNodes().assessment
  const name = '<script>alert(1)</script>'
  const text = targetsHtml({
    apiVersion: 'k3os-migrate/v1',
    kind: 'Targets',
    metadata,
    targets: all,
    refused: [],
    fit: fit.map((one) => ({ ...one, node: name })),
  })
  expect(text).not.toContain('<script')
  expect(text).toContain('&lt;script&gt;')
  for (const { id } of all) expect(text).toContain(`<td data-label="${id}">`)
})
