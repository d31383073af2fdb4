import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { templateTools } from '../../src/adapters/templates.ts'
import { leaves } from '../../src/core/path.ts'
import { uncovered } from '../../src/core/translation.ts'
import { translateNode } from '../../src/core/translate-node.ts'
import { refusals, translators } from '../../translators/index.ts'
import { everyKey, nodeFrom } from '../support/translation.ts'

const folder = fileURLToPath(new URL('../../translators/', import.meta.url))
// `linux` is no target: it holds what the Linux targets share.
const folders = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'linux')
  .map((entry) => entry.name)
const tools = templateTools()

const loaders = {
  ...translators,
  ...Object.fromEntries(Object.entries(refusals).map(([id, { load }]) => [id, load])),
}

/** An older dialect lies in the folder of the newer one: `talos-1.13`. */
const folderOf = (id: string) => id.replace(/-\d+\.\d+$/, '')

it('registers every folder, and nothing else', () => {
  expect([...new Set(Object.keys(loaders).map(folderOf))].toSorted()).toEqual(folders.toSorted())
})

describe.each(Object.entries(loaders))('%s', (id, load) => {
  it('is named as it is registered', async () => {
    expect((await load()).id).toBe(id)
  })

  it.skipIf(Object.hasOwn(refusals, id))('has a README that names every key of the configuration', () => {
    const path = `${folder}${folderOf(id)}/README.md`
    const readme = existsSync(path) ? readFileSync(path, 'utf8') : ''
    const top = (key: string) => (key === 'k3os' ? [] : [key])
    const { k3os } = everyKey
    const keys = [...Object.keys(everyKey).flatMap(top), ...Object.keys(k3os).map((key) => `k3os.${key}`)]
    expect(
      keys.filter((key) => !readme.split('\n').some((line) => line.startsWith(`| \`${key}\` `))),
    ).toEqual([])
  })

  it('accounts for every value of a configuration with every key', async () => {
    const node = nodeFrom(everyKey)
    const result = translateNode(node, await load(), tools)
    expect(uncovered(everyKey, result)).toEqual([])
    expect(result.findings.filter((found) => found.rule === 'TRN-UNACCOUNTED')).toEqual([])
  })

  it('names only paths of the configuration in findings and trace', async () => {
    const paths = leaves(everyKey).map(([path]) => path)
    const exists = (path: string) => paths.some((leaf) => leaf === path || leaf.startsWith(`${path}.`))
    const result = translateNode(nodeFrom(everyKey), await load(), tools)
    const named = [
      ...result.findings.flatMap((found) => (found.location?.path == null ? [] : [found.location.path])),
      ...result.trace.map((entry) => entry.from),
    ]
    expect(named.filter((path) => !exists(path))).toEqual([])
  })

  it('traces only into files that it writes', async () => {
    const result = translateNode(nodeFrom(everyKey), await load(), tools)
    const written = new Set(result.files.map((file) => file.path))
    expect(result.trace.filter((entry) => !written.has(entry.to.file))).toEqual([])
  })

  it('gives the same bytes for the same input', async () => {
    const translator = await load()
    const once = translateNode(nodeFrom(everyKey), translator, tools)
    expect(translateNode(nodeFrom(structuredClone(everyKey)), translator, tools)).toEqual(once)
  })
})
