import { describe, expect, test } from 'vitest'
import { junit } from '../../../src/output/junit.ts'
import { xml } from '../../../src/output/xml.ts'
import { fiveNodes, fiveNodesInventory } from '../../support/five-nodes.ts'

const { assessment } = fiveNodes()
const text = junit(assessment)

/** The test case of a rule in the suite of a node, to its end. */
function testCase(suite: string, rule: string, from = text): string {
  const start = from.indexOf(`classname="k3os-migrate.${suite}" name="${rule}:`)
  return start === -1 ? '' : from.slice(start, from.indexOf('\n', start))
}

test('there is a suite for the cluster and one for each node', () => {
  expect([...text.matchAll(/<testsuite name="([^"]+)"/g)].map(([, name]) => name)).toEqual([
    'cluster',
    'shop-server',
    'till-1',
    'till-2',
    'sensor',
    'store-room',
  ])
})

test('the numbers of a suite are those of its cases', () => {
  for (const [, name, tests, failures, errors, skipped, body] of text.matchAll(
    /<testsuite name="([^"]+)" tests="(\d+)" failures="(\d+)" errors="(\d+)" skipped="(\d+)"[^>]*>(.*?)<\/testsuite>/gs,
  )) {
    const count = (tag: string) => (body?.match(new RegExp(`<${tag}[ />]`, 'g')) ?? []).length
    expect([name, tests, failures, errors, skipped]).toEqual(
      [name, count('testcase'), count('failure'), count('error'), count('skipped')].map(String),
    )
  }
})

test.each([
  [
    'till-2',
    'PRE-BOOT-MARKER',
    'an inhibitor fails',
    /<failure message="till-2 has \/k3os\/system\/ephemeral/,
  ],
  ['till-1', 'PRE-BOOT-MARKER', 'another node passes', /time="0"\/>$/],
  ['shop-server', 'PRE-SINGLE-SERVER', 'a high finding fails', /<failure /],
  ['sensor', 'PRE-INSTALL', 'a medium finding passes and is told', /><system-out>medium: /],
  ['store-room', 'INV-NODE-UNREAD', 'a check that could not run is an error', /<error /],
  ['store-room', 'PRE-CLOCK', 'nobody looked at what was not read', /<error message="not read: store-room"/],
  ['till-1', 'PRE-CLOCK', 'which is no error of others', /time="0"\/>$/],
  [
    'till-1',
    'PRE-UNMANAGED',
    'what a waiver covers passes and is told',
    /><system-out>waived: .*accepted by kim/,
  ],
  ['till-2', 'CFG-TYPE', 'findings of the configuration are cases too', /<failure /],
])('%s %s: %s', (suite, rule, _, expected) => {
  expect(testCase(suite, rule)).toMatch(expected)
})

describe('without a cluster', () => {
  const alone = junit(fiveNodes({ inventory: { ...fiveNodesInventory(), cluster: null } }).assessment)

  test('what needs one is skipped, with the reason', () => {
    expect(testCase('till-1', 'PRE-UNMANAGED', alone)).toMatch(
      /<skipped message="the cluster was not read"\/>/,
    )
  })

  test('that it was not read is an error of the cluster', () => {
    expect(testCase('cluster', 'INV-CLUSTER-UNREAD', alone)).toMatch(/<error /)
  })
})

test('XML cannot be broken by what is put in', () => {
  expect(xml`<a b="${'"<&>\n\u0000\u001b[2J\ud800\u202e'}"/>`.xml).toBe(
    '<a b="&quot;&lt;&amp;&gt;&#10;\ufffd\ufffd[2J\ufffd\ufffd"/>',
  )
})
