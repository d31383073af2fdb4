import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { assess } from '../../../src/core/assess/assess.ts'
import type { AssessedTarget, ConfigVerdict } from '../../../src/core/assess/context.ts'
import { assessmentSchema } from '../../../src/core/assessment.ts'
import { finding, type Rule } from '../../../src/core/findings.ts'
import { inventorySchema } from '../../../src/core/inventory.ts'
import { assessmentMarkdown, assessmentText } from '../../../src/output/assessment-text.ts'
import { json } from '../../../src/output/json.ts'
import { strip } from '../../../src/output/style.ts'

/**
 * A shop: one server, a till with data, a till somebody works on, a small ARM board, and a machine nobody reaches. Read the
 * expected files line by line when they change: they are what a user sees.
 */
const folder = fileURLToPath(new URL('five-nodes/', import.meta.url))

const targets: readonly AssessedTarget[] = [
  {
    id: 'small',
    title: 'A system for old machines',
    requires: {
      machines: ['x86_64', 'aarch64', 'armv7l'],
      memoryMib: 512,
      diskMib: 4096,
      x86Level: 1,
      firmware: ['uefi', 'bios'],
      cgroup: ['v1', 'v2'],
      rejoins: true,
    },
  },
  {
    id: 'modern',
    title: 'A system for today',
    requires: {
      machines: ['x86_64', 'aarch64'],
      memoryMib: 2048,
      diskMib: 10_240,
      x86Level: 2,
      firmware: ['uefi'],
      cgroup: ['v2'],
      rejoins: false,
    },
  },
]

const ignored: Rule<{ key: string }> = {
  severity: 'medium',
  title: 'A key k3OS does not know',
  text: ({ key }) => ({ summary: `${key} is not a key of k3OS: it has never had an effect` }),
}

const configs: ReadonlyMap<string, ConfigVerdict> = new Map<string, ConfigVerdict>([
  ['shop-server', { status: 'merged', findings: [] }],
  [
    'till-1',
    {
      status: 'merged',
      findings: [
        finding(
          'CFG-EXAMPLE',
          ignored,
          { key: 'k3os.dns_nameserver' },
          {
            subject: { kind: 'Configuration' },
            location: {
              file: '/var/lib/rancher/k3os/config.yaml',
              line: 12,
              column: 3,
              path: 'k3os.dns_nameserver',
            },
          },
        ),
      ],
    },
  ],
  ['till-2', { status: 'rejected', reason: 'line 4: found a list, wanted a text', findings: [] }],
  ['sensor', { status: 'merged', findings: [] }],
])

function assessment() {
  const inventory = inventorySchema.parse(parse(readFileSync(`${folder}inventory.yaml`, 'utf8')))
  return assess({
    inventory,
    inventorySha256: 'c0ffee'.padEnd(64, '0'),
    configs,
    targets,
    waivers: [
      {
        key: 'PRE-UNMANAGED:Pod/shop/debug-shell',
        reason: 'left open by the last visit',
        approvedBy: 'kim@example.org',
        expires: '2026-12-31',
      },
      {
        key: 'PRE-NODE-CORDONED:Node/till-2',
        reason: 'we know',
        approvedBy: 'kim@example.org',
        expires: '2026-11-01',
      },
    ],
    metadata: { createdAt: '2026-11-23T10:00:00.000Z', toolVersion: '0.1.0' },
  })
}

test('five nodes: the document', async () => {
  await expect(json(assessment())).toMatchFileSnapshot(`${folder}assessment.json`)
})

test('five nodes: the terminal', async () => {
  await expect(strip(assessmentText(assessment()))).toMatchFileSnapshot(`${folder}assessment.table.txt`)
})

test('five nodes: Markdown', async () => {
  await expect(assessmentMarkdown(assessment())).toMatchFileSnapshot(`${folder}assessment.markdown.txt`)
})

test('the document has the form it promises', () => {
  expect(assessmentSchema.parse(JSON.parse(json(assessment())))).toEqual(assessment())
})

test('the same input gives the same bytes', () => {
  expect(json(assessment())).toBe(json(assessment()))
})
