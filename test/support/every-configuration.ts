import { fileURLToPath } from 'node:url'
import { readConfig } from '../../src/core/k3os/read.ts'
import type { NodeToTranslate } from '../../src/core/translate-node.ts'
import { caseNames, caseSources } from './config-case.ts'
import { goldenNode } from './golden-node.ts'
import { sharedDir } from './shared.ts'

/** Every configuration that lies about: cases of the reader, cases of the translators, and those of `../shared` if it exists. */
export function everyConfiguration(): [name: string, node: NodeToTranslate][] {
  const folder = (path: string) => fileURLToPath(new URL(`../golden/${path}/`, import.meta.url))
  const shared = sharedDir('fixtures/k3os-config')
  if (shared === undefined)
    process.stderr.write('skipped: configurations of ../shared, as there is no such folder\n')
  const roots = [folder('k3os-config'), ...(shared === undefined ? [] : [`${shared}/`])]
  return [
    ...roots.flatMap((root) =>
      caseNames(root).map((name): [string, NodeToTranslate] => [
        name,
        {
          name: 'node',
          reading: readConfig(caseSources(`${root}${name}`)),
          bundle: null,
          facts: null,
          nodeObject: null,
          nonce: null,
        },
      ]),
    ),
    ...caseNames(folder('translate')).map((name): [string, NodeToTranslate] => [
      name,
      goldenNode(`${folder('translate')}${name}`),
    ]),
  ]
}
