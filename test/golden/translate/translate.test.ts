import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { templateTools } from '../../../src/adapters/templates.ts'
import { translateNode } from '../../../src/core/translate-node.ts'
import { translators } from '../../../translators/index.ts'
import { goldenNode } from '../../support/golden-node.ts'

// One folder for each whole node: config.yaml, what is known of the machine, and what every target makes of it.
const root = fileURLToPath(new URL('./', import.meta.url))
const cases = readdirSync(root, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
)
const tools = templateTools()

describe.each(cases)('%s', (name) => {
  it.each(Object.keys(translators))('%s', async (target) => {
    const load = translators[target]
    if (load === undefined) throw new Error(`no translator ${target}`)
    const result = translateNode(goldenNode(`${root}${name}`), await load(), tools)
    const expected = `${root}${name}/expect/${target}`
    for (const file of result.files)
      await expect(file.content).toMatchFileSnapshot(`${expected}/${file.path}`)
    const { findings, delivery } = result
    const said = findings.map(({ rule, severity, summary, location }) => ({
      rule,
      severity,
      summary,
      at: location === null ? null : `${location.file}:${location.line} ${location.path}`,
    }))
    await expect(`${JSON.stringify(said, null, 2)}\n`).toMatchFileSnapshot(`${expected}/findings.json`)
    await expect(`${JSON.stringify(delivery, null, 2)}\n`).toMatchFileSnapshot(`${expected}/delivery.json`)
    // A file that is no longer written must not stay behind among the expected ones.
    const names = [...result.files.map((file) => file.path), 'findings.json', 'delivery.json']
    const present = existsSync(expected) ? readdirSync(expected) : []
    expect(present.filter((file) => !names.includes(file))).toEqual([])
  })
})
