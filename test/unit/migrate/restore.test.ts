import { expect, test } from 'vitest'
import type { KubeNode } from '../../../src/core/inventory.ts'
import { simulate, smallScenario } from '../../support/simulated-run.ts'

/** Moves `a` with these annotations, and with these changes to them while its machine is rebuilt. */
async function annotationsAfter(
  before: Readonly<Record<string, string>>,
  meanwhile: Readonly<Record<string, string | null>>,
): Promise<KubeNode['annotations']> {
  const simulated = simulate(smallScenario(), (plan) => ({
    ...plan,
    nodes: plan.nodes.filter(({ name }) => name === 'a'),
  }))
  const node = simulated.world.node('a')
  if (node === undefined) throw new Error('no node a')
  const { annotations } = node.kube
  Object.assign(annotations, before)
  const run = simulated.ports.hook.run.bind(simulated.ports.hook)
  simulated.ports.hook.run = async (argv, options) => {
    for (const [key, value] of Object.entries(meanwhile))
      if (value === null) delete annotations[key]
      else annotations[key] = value
    return run(argv, options)
  }
  const { error } = await simulated.start()
  if (error !== null) throw error
  return annotations
}

test('an annotation of the user that was lost comes back', async () => {
  expect(await annotationsAfter({ 'example.org/owner': 'kim' }, { 'example.org/owner': null })).toEqual({
    'example.org/owner': 'kim',
  })
})

test('one that somebody has written since stays as it is', async () => {
  expect(await annotationsAfter({ 'example.org/owner': 'kim' }, { 'example.org/owner': 'lee' })).toEqual({
    'example.org/owner': 'lee',
  })
})

test.each([
  'k3s.io/node-args',
  'flannel.alpha.coreos.com/public-ip',
  'node.alpha.kubernetes.io/ttl',
  'volumes.kubernetes.io/controller-managed-attach-detach',
])('%s is its owner’s to write again', async (key) => {
  expect(await annotationsAfter({ [key]: 'old' }, { [key]: null })).toEqual({})
})
