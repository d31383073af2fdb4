import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JournalRecord } from '../../../src/core/journal.ts'
import { controlPlaneMissing } from '../../support/control-plane.ts'
import type { KubeAge } from '../../support/control-plane-flags.ts'
import { apply, budget, deployment, untilBudgetAllows, untilReady } from '../../support/kube-workload.ts'
import { requirePart } from '../../support/require-part.ts'
import { killAt, sitDown, type CliResult, type Desk } from '../../support/spine-cli.ts'
import { startSpineLab, type SpineLab } from '../../support/spine-lab.ts'
import { newSystem } from '../../support/spine-machine.ts'
import { kubectlLabel, kubectlTaint, spineScenario } from '../../support/spine-scenario.ts'
import { nodeState, scale } from '../../support/spine-state.ts'
import { missingForK3osRoot } from '../../support/sshd.ts'

type IsIt = (record: JournalRecord) => boolean
const intentOf =
  (wanted: string): IsIt =>
  ({ step, phase }) =>
    step === wanted && phase === 'intent'
const resultOf =
  (wanted: string): IsIt =>
  ({ step, phase }) =>
    step === wanted && phase === 'result'
const doing =
  (wanted: string, text: string): IsIt =>
  ({ step, phase, data }) =>
    step === wanted && phase === 'note' && String(data['action']).includes(text)

/** Where the run dies: the moment a record is on the disk. */
interface Boundary {
  readonly node: string
  readonly when: string
  readonly at: IsIt
  /** The node's budget has no room until the run is dead. */
  readonly held?: true
}

const heldDrain = (node: string): Boundary => ({
  node,
  when: 'in the middle of a drain',
  at: doing('drain', 'evict'),
  held: true,
})
const machineDown = (node: string): Boundary => ({
  node,
  when: 'after the hook, while the machine is down',
  at: doing('reimage', 'wait until'),
})

/** In the order in which one run comes to them; it is killed at each, and resumed. */
const boundaries: Readonly<Record<KubeAge, readonly Boundary[]>> = {
  '1.20': [
    { node: 'x', when: 'before the taint of the others', at: intentOf('steer') },
    { node: 'x', when: 'before the cordon', at: intentOf('cordon') },
    { node: 'x', when: 'after the cordon', at: resultOf('cordon') },
    { node: 'x', when: 'before the first eviction', at: intentOf('drain') },
    heldDrain('x'),
    { node: 'x', when: 'after the fingerprints', at: resultOf('fingerprint') },
    { node: 'y', when: 'before the configuration is written', at: intentOf('stage') },
    { node: 'y', when: 'before the hook', at: intentOf('reimage') },
    machineDown('y'),
    { node: 'y', when: 'before k3s is let go', at: intentOf('release') },
    { node: 'y', when: 'before the node is proven', at: intentOf('join') },
    { node: 'z', when: 'before data is compared', at: intentOf('compare') },
    { node: 'z', when: 'before labels and taints come back', at: intentOf('restore') },
    { node: 'z', when: 'before the uncordon', at: intentOf('uncordon') },
  ],
  '1.35': [heldDrain('x'), machineDown('x')],
}

/** What one kill left behind. */
interface Kill {
  readonly killed: CliResult
  readonly statusBetween: CliResult
}

/** A run that was killed at every boundary, and in the end resumed once more. */
interface Story {
  readonly lab: SpineLab
  readonly desk: Desk
  readonly kills: readonly Kill[]
  readonly resumed: CliResult
}

async function live(age: KubeAge): Promise<Story> {
  // The one with the volume, which is named first, is moved last.
  const nodes = age === '1.20' ? ['z', 'x', 'y'] : ['x']
  const lab = await startSpineLab(age, spineScenario(nodes))
  labs.push(lab)
  // The pods of each may run on its node and on the server, and begin on their node.
  await lab.cluster.kubectl(['cordon', 's'])
  await apply(lab.cluster, ...nodes.map((node) => deployment(node, 2, 1, { affinity: onlyOn(node, 's') })))
  const held = boundaries[age].filter((boundary) => boundary.held).map(({ node }) => node)
  await apply(lab.cluster, ...held.map((node) => budget(age, node, 1)))
  await Promise.all(nodes.map(async (node) => untilReady(lab.cluster, node, 2)))
  await lab.cluster.kubectl(['uncordon', 's'])
  const desk = sitDown(lab)
  await expectSuccess(desk.run('inventory', ...lab.hosts))
  const options = ['--no-soak', '--canary-soak', '1s', '--keeps-data', '--node', ...nodes]
  await expectSuccess(desk.run('plan', ...options, '--hook', ...lab.hook))
  const kills: Kill[] = []
  for (const boundary of boundaries[age]) kills.push(await killOnce(lab, age, desk, boundary))
  return { lab, desk, kills, resumed: await desk.resume('plan.json').result }
}

async function killOnce(
  lab: SpineLab,
  age: KubeAge,
  desk: Desk,
  { node, at, held }: Boundary,
): Promise<Kill> {
  if (held) {
    await scale(lab.cluster, node, 1)
    await untilBudgetAllows(lab.cluster, age, node, 0)
  }
  const running = desk.runDirectory() === undefined ? desk.apply('plan.json') : desk.resume('plan.json')
  const isIt: IsIt = (record) => record.node === node && at(record)
  const killed = await killAt(desk, running, isIt, held ? 1_500 : 0)
  const statusBetween = await desk.run('status', ...desk.stateDir, '-o', 'json')
  if (held) await scale(lab.cluster, node, 2)
  return { killed, statusBetween }
}

async function expectSuccess(running: Promise<CliResult>): Promise<void> {
  const { code, stderr } = await running
  if (code !== 0) throw new Error(stderr)
}

const ages = (['1.20', '1.35'] as const).map((age) => ({
  age,
  skipped: requirePart('KUBE', controlPlaneMissing(age)) || requirePart('SSHD', missingForK3osRoot()),
}))
const labs: SpineLab[] = []
const stories = new Map<KubeAge, Promise<Story>>()

// Both clusters at the same time: most of it is waiting.
beforeAll(async () => {
  for (const { age, skipped } of ages) if (!skipped) stories.set(age, live(age))
  await Promise.allSettled(stories.values())
}, 900_000)
afterAll(async () => {
  await Promise.all(labs.map(async (lab) => lab.stop()))
})

for (const { age, skipped } of ages)
  describe.skipIf(skipped)(`a run killed again and again on a cluster of ${age}`, () => {
    let story: Story
    beforeAll(async () => {
      const living = stories.get(age)
      if (living === undefined) throw new Error(`no cluster of ${age}`)
      story = await living
    })
    const nodes = [...new Set(boundaries[age].map(({ node }) => node))]

    test.each(boundaries[age].map((boundary, index) => ({ ...boundary, index })))(
      '$when of $node, leaves a run whose status can be read',
      ({ node, index }) => {
        const { killed, statusBetween } = story.kills[index] ?? {}
        expect([killed?.code, JSON.parse(statusBetween?.stdout ?? '')]).toMatchObject([
          null,
          { nodes: expect.arrayContaining([expect.objectContaining({ name: node, state: 'in-progress' })]) },
        ])
      },
    )

    test('is gone on with to the end', () => {
      expect(story.resumed).toMatchObject({ code: 0, stdout: expect.stringContaining('done') })
    })

    test.each(nodes)('leaves %s as a move that nobody disturbed', async (node) => {
      const { ready, unschedulable, osImage, annotations, taints, labels } = await nodeState(
        story.lab.cluster,
        node,
      )
      expect({
        ready,
        unschedulable,
        osImage,
        marks: Object.keys(annotations).filter((key) => key.startsWith('k3os-migrate/')),
        taints: taints.map(({ key, effect }) => ({ key, effect })),
        rack: labels[kubectlLabel.key],
        k3os: Object.keys(labels).filter((key) => key.startsWith('k3os.io/')),
      }).toEqual({
        ready: true,
        unschedulable: false,
        osImage: newSystem,
        marks: [],
        taints: [{ key: kubectlTaint.key, effect: kubectlTaint.effect }],
        rack: kubectlLabel.value(node),
        k3os: [],
      })
    })

    test('has each machine rebuilt once', () => {
      expect(story.lab.hookCalls).toEqual(nodes.map((node) => ({ node, attempt: 1, machine: 'k3os' })))
    })

    test('leaves a journal that is whole, with one proof for each node', () => {
      const proofs = story.desk.journal().filter(resultOf('join'))
      expect(proofs.map(({ node, data }) => [node, data['outcome']])).toEqual(
        nodes.map((node) => [node, 'done']),
      )
    })

    test('leaves the cluster to nobody, with the run complete', async () => {
      const { body } = await story.lab.cluster.request<RawLease>('GET', leasePath)
      const record: unknown = JSON.parse(body.metadata.annotations['k3os-migrate/run-record'] ?? '')
      expect([body.spec.holderIdentity, body.spec.leaseTransitions, record]).toMatchObject([
        undefined,
        boundaries[age].length + 1,
        { status: 'complete' },
      ])
    })

    test('nothing went wrong with a machine behind the back of the tool', () => {
      expect(story.lab.troubles).toEqual([])
    })
  })

const leasePath = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/k3os-migrate'
interface RawLease {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> }
  readonly spec: { readonly holderIdentity?: string; readonly leaseTransitions: number }
}

function onlyOn(...nodes: readonly string[]): object {
  const on = [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: nodes }] }]
  return { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: on } } }
}
