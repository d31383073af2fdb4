import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assessmentReport, type AssessFormat } from '../../../src/commands/assess-report.ts'
import { fiveNodes, fiveNodesInventory } from '../../support/five-nodes.ts'

const formats: readonly AssessFormat[] = ['table', 'json', 'yaml', 'markdown', 'html', 'sarif', 'junit']
const options = { for: 'file', inventoryFile: 'inventory.yaml' } as const

describe.each(formats)('%s', (format) => {
  test('of the same inventory has the same bytes', () => {
    expect(assessmentReport(fiveNodes(), format, options)).toBe(
      assessmentReport(fiveNodes(), format, options),
    )
  })

  test('does not depend on the order of the answers of an API server', () => {
    const inventory = fiveNodesInventory()
    const whole = assessmentReport(fiveNodes(), format, options)
    const { cluster } = inventory
    if (cluster?.status !== 'read') throw new Error('the case has a cluster')
    const { facts } = cluster
    fc.assert(
      fc.property(fc.shuffledSubarray(facts.pods, { minLength: facts.pods.length }), (pods) => {
        const shuffled = { ...inventory, cluster: { ...cluster, facts: { ...facts, pods } } }
        expect(assessmentReport(fiveNodes({ inventory: shuffled }), format, options)).toBe(whole)
      }),
      { numRuns: 10 },
    )
  })
})
