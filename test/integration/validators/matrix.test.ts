import { afterAll, describe, expect, it } from 'vitest'
import { templateTools } from '../../../src/adapters/templates.ts'
import { leaves } from '../../../src/core/path.ts'
import { translateNode } from '../../../src/core/translate-node.ts'
import { uncovered } from '../../../src/core/translation.ts'
import { table } from '../../../src/output/table.ts'
import { translators } from '../../../translators/index.ts'
import { everyConfiguration } from '../../support/every-configuration.ts'
import { askAll, type Question } from '../../support/questions.ts'
import { requirePart } from '../../support/require-part.ts'
import { missingJudges, questionsOf } from '../../support/target-judges.ts'

// Every configuration through every target: accepted by all who judge the target's files, and no value unaccounted for. The
// other suites here show that each judge refuses what is wrong, and look closer at what the judges cannot see.

const skip = requirePart('VALIDATORS', missingJudges())
const tools = templateTools()

interface Cell {
  readonly asked: number
  readonly refused: number
  readonly unaccounted: number
}

interface Column {
  readonly cells: ReadonlyMap<string, Cell>
  readonly values: number
  readonly judges: ReadonlyMap<string, number>
}

const configurations = skip ? [] : everyConfiguration()
const nodes = configurations.flatMap(([name, node]) =>
  node.reading.status === 'merged' ? [{ name, node, config: node.reading.config }] : [],
)
const matrix = new Map<string, Column>()

describe.skipIf(skip).each(Object.keys(translators))('%s', (target) => {
  it('is accepted by all its judges, whatever the configuration', { timeout: 180_000 }, async () => {
    const translator = await translators[target]?.()
    const questionsAbout = questionsOf[target]
    if (translator === undefined || questionsAbout === undefined) throw new Error(`nobody judges ${target}`)
    const asked: { readonly name: string; readonly question: Question }[] = []
    const wrong: string[] = []
    const gaps = new Map<string, number>()
    for (const { name, node, config } of nodes) {
      const result = translateNode(node, translator, tools)
      const files = new Map(result.files.map(({ path, content }) => [path, content]))
      const file = (path: string) => {
        const content = files.get(path)
        if (content === undefined) throw new Error(`${target} wrote no ${path} for ${name}`)
        return content
      }
      asked.push(...questionsAbout(file, [...files.keys()]).map((question) => ({ name, question })))
      const missing = uncovered(config, result)
      gaps.set(name, missing.length)
      wrong.push(...missing.map((path) => `${name}: ${path} is unaccounted for`))
    }
    const verdicts = askAll(asked.map(({ question }) => question))
    const answered = asked.map(({ name, question: { judge } }, index) => {
      const { accepted, said } = verdicts[index] ?? { accepted: false, said: '' }
      // Whoever accepts has nothing to remark.
      if (!accepted || said !== '') wrong.push(`${name}: ${judge.name}: ${said}`)
      return { name, judge: judge.name, refused: accepted && said === '' ? 0 : 1 }
    })
    const byNode = Map.groupBy(answered, ({ name }) => name)
    matrix.set(target, {
      cells: new Map(
        [...byNode].map(([name, list]) => [
          name,
          {
            asked: list.length,
            refused: list.reduce((sum, { refused }) => sum + refused, 0),
            unaccounted: gaps.get(name) ?? 0,
          },
        ]),
      ),
      values: nodes.reduce((sum, { config }) => sum + leaves(config).length, 0),
      judges: new Map(
        [...Map.groupBy(answered, ({ judge }) => judge)].map(([judge, list]) => [judge, list.length]),
      ),
    })
    expect(wrong).toEqual([])
    expect(byNode.size).toBe(nodes.length)
  })
})

it.skipIf(skip)('there are many configurations, and the ones with a whole node are among them', () => {
  expect(nodes.length).toBeGreaterThan(70)
  // What the targets are asked to carry, each in a node of its own (test/golden/translate).
  expect(nodes.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      'static-two-ports',
      'wifi',
      'vlan-by-command',
      'proxy-and-registry',
      'single-server-default',
      'etcd-server-2-of-3',
      'external-datastore',
      'agent-with-taints',
      'arm-overlay',
      'own-cni',
      'longhorn-iscsi',
    ]),
  )
})

afterAll(() => {
  if (skip) return
  const targets = [...matrix.keys()]
  const judges = [...matrix].map(([target, { cells, values, judges: names }]) => {
    const all = [...cells.values()]
    const sum = (count: (cell: Cell) => number) => String(all.reduce((total, cell) => total + count(cell), 0))
    return [
      target,
      String(cells.size),
      String(values),
      sum(({ unaccounted }) => unaccounted),
      sum(({ asked }) => asked),
      sum(({ refused }) => refused),
      [...names].map(([name, count]) => `${name} ${count}`).join(', '),
    ]
  })
  const cell = ({ asked, refused, unaccounted }: Cell): string =>
    `${asked - refused}/${asked}${unaccounted === 0 ? '' : ` -${unaccounted}`}`
  const rows = nodes.map(({ name }) => [
    name,
    ...targets.map((target) => {
      const found = matrix.get(target)?.cells.get(name)
      return found === undefined ? '?' : cell(found)
    }),
  ])
  const counts = ['NODES', 'VALUES', 'UNACCOUNTED', 'ASKED', 'REFUSED']
  process.stderr.write(
    [
      'Documents accepted of those that judges were asked about (and values unaccounted for, where there are any):',
      table(['CONFIGURATION', ...targets.map((target) => target.toUpperCase())], rows),
      `${configurations.length - nodes.length} configurations that k3OS rejects are translated to nothing.`,
      '',
      table(['TARGET', ...counts, 'JUDGES'], judges, { right: counts }),
    ].join('\n'),
  )
})
