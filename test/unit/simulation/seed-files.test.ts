import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { templateTools } from '../../../src/adapters/templates.ts'
import { noncePath } from '../../../src/core/node-paths.ts'
import { translateNode } from '../../../src/core/translate-node.ts'
import { filesOfSeed } from '../../../src/simulation/seed-files.ts'
import { translators } from '../../../translators/index.ts'
import { goldenNode } from '../../support/golden-node.ts'

const node = goldenNode(
  fileURLToPath(new URL('../../golden/translate/single-server-default', import.meta.url)),
)
const targets = await Promise.all(Object.values(translators).map(async (load) => load()))

// Those that a plan can move nodes to.
it.each(targets.filter(({ requires }) => requires.rejoins && requires.image !== 'none yet'))(
  '$id: finds what a machine makes of its seed',
  (target) => {
    const { files, delivery } = translateNode(node, target, templateTools())
    const delivered = 'files' in delivery ? delivery.files : []
    const seed = files.filter(({ path }) => delivered.includes(path)).map(({ content }) => content)
    const made = filesOfSeed(seed)
    expect(made.get(noncePath)?.trim()).toBe('00112233445566778899aabbccddeeff')
    expect(made.get('/etc/rancher/node/password')?.trim()).toBe('f00dfeedf00dfeed')
  },
)

it('finds nothing in what is no seed', () => {
  expect(filesOfSeed(['', 'a: [', '#!/bin/sh\nexit 0\n', '{"path": "/x"}'])).toEqual(new Map())
})
