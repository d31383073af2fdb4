import { expect, test } from 'vitest'
import { bundleFiles } from '../../../src/core/bundle-files.ts'
import type { Bundle } from '../../../src/core/bundle.ts'
import { configSourcesFrom, dropInDirectory } from '../../../src/core/k3os/sources.ts'
import { bundleOf, k3osNode } from '../../support/k3os-node.ts'

const sources = async (bundle: Bundle) => configSourcesFrom(bundleFiles(bundle))

test('the sources of a configuration are those of the bundle', async () => {
  const read = await sources(bundleOf(k3osNode()))
  expect(Object.keys(read).toSorted()).toEqual(['cmdline', 'configD', 'system'])
  expect(read.configD.map(({ file }) => file)).toEqual([
    `${dropInDirectory}/.hidden`,
    `${dropInDirectory}/10 wifi.yaml`,
  ])
})

test('a refused file and a refused folder are unreadable, not missing, and k3OS may read them', async () => {
  const bundle = bundleOf(k3osNode({ files: { '/var/lib/rancher/k3os/config.yaml': undefined } }))
  const refused = async (path: string) =>
    sources({ ...bundle, errors: new Map([[path, 'permission denied']]) })
  expect((await refused('/var/lib/rancher/k3os/config.yaml')).local).toEqual({
    file: '/var/lib/rancher/k3os/config.yaml',
    unreadable: 'permission denied',
    unknown: true,
  })
  expect((await refused(`${dropInDirectory}/*`)).configD).toEqual([
    { file: dropInDirectory, unreadable: 'permission denied', unknown: true },
  ])
})

test('a directory among the drop-ins is unreadable, which k3OS stumbles over', async () => {
  const bundle = bundleOf(k3osNode())
  const dirs = new Map([[`${dropInDirectory}/sub`, { mode: 0o755, owner: '0:0' }]])
  expect((await sources({ ...bundle, dirs })).configD.at(-1)).toEqual({
    file: `${dropInDirectory}/sub`,
    unreadable: 'it is a directory',
  })
})
