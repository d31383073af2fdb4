import { describe, expect, test } from 'vitest'
import { sarif } from '../../../src/output/sarif.ts'
import { fiveNodes } from '../../support/five-nodes.ts'
import { sarifErrors } from '../../support/sarif-schema.ts'

interface Result {
  ruleId: string
  ruleIndex: number
  level: string
  message: { text: string }
  partialFingerprints: Record<string, string>
  suppressions: { justification: string }[]
  locations: {
    physicalLocation: {
      artifactLocation: { uri: string; uriBaseId?: string }
      region: { startLine: number; startColumn?: number }
    }
    logicalLocations: { fullyQualifiedName: string }[]
  }[]
}
interface Log {
  runs: [
    {
      tool: { driver: { rules: { id: string; help: { text: string } }[] } }
      invocations: [{ toolExecutionNotifications?: { message: { text: string } }[] }]
      results: Result[]
    },
  ]
}

const { assessment } = fiveNodes()
const made = (limit?: number) =>
  sarif(assessment, {
    inventoryFile: 'k3os-inventory/inventory.yaml',
    ...(limit === undefined ? {} : { limit }),
  }) as Log
const [run] = made().runs
const result = (rule: string): Result => {
  const found = run.results.find(({ ruleId }) => ruleId === rule)
  if (found === undefined) throw new Error(`no result of ${rule}`)
  return found
}

test('the schema of SARIF 2.1.0 has nothing against it', () => {
  expect(sarifErrors(made())).toEqual([])
})

test('the schema check does find mistakes', () => {
  expect(sarifErrors({ ...made(), version: '2.0' })).not.toEqual([])
})

test('every finding is a result, and points to its rule', () => {
  const found = assessment.findings.filter((f) => f.result === 'fail' || f.result === 'error')
  expect(run.results.map(({ partialFingerprints }) => partialFingerprints['k3osMigrateKey/v1'])).toEqual(
    found.map(({ key }) => key),
  )
  expect(run.results.map(({ ruleId, ruleIndex }) => [ruleId, run.tool.driver.rules[ruleIndex]?.id])).toEqual(
    run.results.map(({ ruleId }) => [ruleId, ruleId]),
  )
})

test.each([
  ['PRE-BOOT-MARKER', 'error'],
  ['INV-NODE-UNREAD', 'error'],
  ['PRE-SINGLE-SERVER', 'error'],
  ['PRE-INSTALL', 'warning'],
  ['PRE-ORPHAN-VOLUME', 'note'],
])('%s is of the level %s', (rule, level) => {
  expect(result(rule).level).toBe(level)
})

test('a finding of the configuration has a place of its own on each node', () => {
  expect(result('CFG-TYPE').locations[0]?.physicalLocation).toMatchObject({
    artifactLocation: { uri: 'till-2/k3os/system/config.yaml', uriBaseId: 'NODES' },
    region: { startLine: 3, startColumn: 10 },
  })
})

test('an object of the cluster is named, and found in the inventory', () => {
  expect(result('PRE-PDB-STRUCTURAL').locations).toMatchObject([
    {
      physicalLocation: { artifactLocation: { uri: 'k3os-inventory/inventory.yaml' } },
      logicalLocations: [
        { fullyQualifiedName: 'PodDisruptionBudget shop/till' },
        { fullyQualifiedName: 'Node till-1' },
      ],
    },
  ])
})

test('a waiver is a suppression with its reason', () => {
  expect(result('PRE-UNMANAGED').suppressions).toMatchObject([
    { justification: 'left open by the last visit (kim@example.org, until 2026-12-31)' },
  ])
  expect(result('PRE-BOOT-MARKER').suppressions).toEqual([])
})

describe('the help of a rule', () => {
  const help = (rule: string) => run.tool.driver.rules.find(({ id }) => id === rule)?.help.text

  test('says why and what to do', () => {
    expect(help('PRE-NODE-CORDONED')).toBe(
      'A node is cordoned already. Another person or controller may be working on it. A node that was cordoned before stays cordoned after. If nobody is at work there, make it schedulable again.',
    )
  })

  test('says nothing of one node only', () => {
    expect(
      run.tool.driver.rules.filter(({ help: { text } }) => /till-\d|store-room|shop-server/.test(text)),
    ).toEqual([])
  })
})

test('too many are cut, the worst kept, with a notice', () => {
  const [cut] = made(3).runs
  expect(cut.results.map(({ level }) => level)).toEqual(['error', 'error', 'error'])
  expect(cut.invocations[0].toolExecutionNotifications?.[0]?.message.text).toMatch(
    /^Only the worst 3 of \d+ findings/,
  )
  expect(sarifErrors(made(3))).toEqual([])
})
