import { expect, test } from 'vitest'
import { assessmentSchema } from '../../../../src/core/assessment.ts'
import { inventorySchema } from '../../../../src/core/inventory.ts'
import { parsePlainYaml } from '../../../../src/core/plain-yaml.ts'
import { json } from '../../../../src/output/json.ts'
import { yaml } from '../../../../src/core/yaml-text.ts'
import { fleet } from '../../../support/fleet.ts'
import { look } from './builders.ts'

const size = { nodes: 60, pods: 900, seed: 7 }

test('the same seed makes the same fleet, another one another', () => {
  expect(fleet(size)).toEqual(fleet(size))
  expect(fleet({ ...size, seed: 8 }).inventory).not.toEqual(fleet(size).inventory)
})

test('a fleet is an inventory, read the fast way', () => {
  const { inventory } = fleet(size)
  expect(inventorySchema.parse(parsePlainYaml(yaml(inventory))?.value)).toEqual(inventory)
})

test('its assessment has the form it promises, and something of everything', () => {
  const assessment = look(fleet(size).inventory)
  expect(assessmentSchema.parse(JSON.parse(json(assessment)))).toEqual(assessment)
  expect(assessment.nodes).toHaveLength(size.nodes)
  const rules = new Set(assessment.findings.map(({ rule }) => rule))
  for (const rule of ['PRE-LOCALPV', 'PRE-EMPTYDIR', 'PRE-HOSTPATH', 'PRE-ETCD', 'PRE-PDB-STRUCTURAL'])
    expect(rules).toContain(rule)
})
