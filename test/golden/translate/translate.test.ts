import { existsSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { templateTools } from '../../../src/adapters/templates.ts'
import { translateNode } from '../../../src/core/translate-node.ts'
import { besideTranslators, translators } from '../../../translators/index.ts'
import { goldenNode } from '../../support/golden-node.ts'
import { tarListing } from '../../support/tar-listing.ts'

// One folder for each whole node: config.yaml, what is known of the machine, and what every target makes of it.
const root = fileURLToPath(new URL('./', import.meta.url))
const cases = readdirSync(root, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
)
const tools = templateTools()
const loaders = {
  ...translators,
  ...Object.fromEntries(Object.entries(besideTranslators).map(([id, load]) => [`${id}-in-place`, load])),
}
/** What lies beside k3OS is made of parts that the other targets show: a few nodes are enough. */
const inPlace = [
  'agent-with-taints',
  'commands-in-boot-order',
  'old-k3s-1.18',
  'proxy-and-registry',
  'single-server-default',
  'wifi',
]

describe.each(cases)('%s', (name) => {
  const targets = Object.keys(loaders).filter((id) => !id.endsWith('-in-place') || inPlace.includes(name))
  it.each(targets)('%s', async (target) => {
    const load = loaders[target]
    if (load === undefined) throw new Error(`no translator ${target}`)
    const result = translateNode(goldenNode(`${root}${name}`), await load(), tools)
    const expected = `${root}${name}/expect/${target}`
    // An archive is expected as the list of what is in it.
    const contents = result.files.map(({ path, content }) =>
      typeof content === 'string'
        ? { path, text: content }
        : { path: `${path}.txt`, text: tarListing(content) },
    )
    for (const { path, text } of contents) await expect(text).toMatchFileSnapshot(`${expected}/${path}`)
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
    const names = [...contents.map(({ path }) => path), 'findings.json', 'delivery.json']
    const present = existsSync(expected)
      ? readdirSync(expected, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => relative(expected, join(entry.parentPath, entry.name)))
      : []
    expect(present.filter((file) => !names.includes(file))).toEqual([])
  })
})
