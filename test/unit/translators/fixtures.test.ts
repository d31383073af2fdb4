import { describe, expect, it } from 'vitest'
import { templateTools } from '../../../src/adapters/templates.ts'
import { leaves } from '../../../src/core/path.ts'
import { uncovered } from '../../../src/core/translation.ts'
import { translateNode } from '../../../src/core/translate-node.ts'
import { besideTranslators, translators } from '../../../translators/index.ts'
import { everyConfiguration } from '../../support/every-configuration.ts'

// Every configuration that lies about, through every target: ways of writing it that no case of a translator thought of.

const tools = templateTools()
const targets = await Promise.all(
  [...Object.values(translators), ...Object.values(besideTranslators)].map(async (load) => load()),
)
const nodes = everyConfiguration()

describe.each(targets)('$title', (translator) => {
  it('accounts for every value of every configuration', () => {
    const gaps = nodes.flatMap(([name, node]) => {
      if (node.reading.status === 'rejected') return []
      const result = translateNode(node, translator, tools)
      return uncovered(node.reading.config, result).map((path) => `${name}: ${path}`)
    })
    expect(gaps).toEqual([])
    expect(nodes.length).toBeGreaterThan(20)
  })

  it('has no gap of its own', () => {
    const rules = nodes.flatMap(([name, node]) =>
      translateNode(node, translator, tools)
        .findings.filter(({ rule }) => rule === 'TRN-UNACCOUNTED')
        .map(({ summary }) => `${name}: ${summary}`),
    )
    expect(rules).toEqual([])
  })

  it('points at values that are in the configuration', () => {
    const wrong = nodes.flatMap(([name, node]) => {
      if (node.reading.status === 'rejected') return []
      const paths = leaves(node.reading.config).map(([path]) => path)
      const exists = (path: string) =>
        paths.some((leaf) => leaf === path || leaf.startsWith(`${path}.`) || leaf.startsWith(`${path}[`))
      const { findings, trace } = translateNode(node, translator, tools)
      const named = [
        ...findings.flatMap(({ location }) => location?.path ?? []),
        ...trace.map(({ from }) => from),
      ]
      return named.filter((path) => !exists(path)).map((path) => `${name}: ${path}`)
    })
    expect(wrong).toEqual([])
  })

  it('gives the same bytes twice, and writes only below its folder', () => {
    for (const [, node] of nodes) {
      const once = translateNode(node, translator, tools)
      expect(translateNode(node, translator, tools)).toEqual(once)
      const paths = once.files.map(({ path }) => path)
      expect(new Set(paths).size).toBe(paths.length)
      expect(paths.filter((path) => path.startsWith('/') || path.split('/').includes('..'))).toEqual([])
    }
  })
})
