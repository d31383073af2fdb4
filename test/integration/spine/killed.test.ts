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

/** Where `apply` dies: the moment a record is on the disk. */
interface Boundary {
  /** Also the name of the node that is moved. */
  readonly node: string
  readonly when: string
  readonly at: IsIt
  /** Its budget has no room until `apply` is dead. */
  readonly held?: true
}

const heldDrain: Boundary = {
  node: 'held',
  when: 'in the middle of a drain',
  at: doing('drain', 'evict'),
  held: true,
}
const machineDown: Boundary = {
  node: 'down',
  when: 'after the hook, while the machine is down',
  at: doing('reimage', 'wait until'),
}

const boundaries: Readonly<Record<KubeAge, readonly Boundary[]>> = {
  '1.20': [
    { node: 'cordon-intent', when: 'before the cordon', at: intentOf('cordon') },
    { node: 'cordon-result', when: 'after the cordon', at: resultOf('cordon') },
    { node: 'drain-intent', when: 'before the first eviction', at: intentOf('drain') },
    heldDrain,
    { node: 'fingerprint', when: 'after the fingerprints', at: resultOf('fingerprint') },
    { node: 'reimage', when: 'before the hook', at: intentOf('reimage') },
    machineDown,
    { node: 'release', when: 'before k3s is let go', at: intentOf('release') },
    { node: 'join', when: 'before the node is proven', at: intentOf('join') },
  ],
  '1.35': [heldDrain, machineDown],
}

/** What happened to one node: killed once, resumed once. */
interface Story {
  readonly desk: Desk
  readonly killed: CliResult
  readonly statusBetween: CliResult
  readonly resumed: CliResult
}

/** A cluster where every boundary has a node, two pods and a run of its own. */
interface Killing {
  readonly lab: SpineLab
  /** By node. */
  readonly stories: ReadonlyMap<string, Promise<PromiseSettledResult<Story>[]>>
}

async function beginKilling(age: KubeAge): Promise<Killing> {
  const nodes = boundaries[age].map(({ node }) => node)
  const lab = await startSpineLab(age, spineScenario(nodes))
  // The pods of each may run on its node and on the server, and begin on their node.
  await lab.cluster.kubectl(['cordon', 's'])
  await apply(
    lab.cluster,
    ...nodes.map((node) => deployment(node, 2, 1, { affinity: onlyOn(node, 's') })),
    ...boundaries[age].flatMap(({ node, held }) => (held ? [budget(age, node, 1)] : [])),
  )
  await Promise.all(nodes.map(async (node) => untilReady(lab.cluster, node, 2)))
  await lab.cluster.kubectl(['uncordon', 's'])
  const desk = sitDown(lab)
  await expectSuccess(desk.run('inventory', ...lab.hosts))
  await Promise.all(
    nodes.map(async (node) => {
      const files = ['--node', node, '--out', `${node}.json`]
      return expectSuccess(desk.run('plan', '--no-soak', '--keeps-data', ...files, '--hook', ...lab.hook))
    }),
  )
  const stories = boundaries[age].map(
    (boundary) => [boundary.node, Promise.allSettled([live(lab, age, boundary, desk)])] as const,
  )
  return { lab, stories: new Map(stories) }
}

async function live(lab: SpineLab, age: KubeAge, { node, at, held }: Boundary, shared: Desk): Promise<Story> {
  const desk = sitDown(lab, shared)
  const plan = `${node}.json`
  if (held) {
    await scale(lab.cluster, node, 1)
    await untilBudgetAllows(lab.cluster, age, node, 0)
  }
  const killed = await killAt(desk, desk.apply(plan), at, held ? 1_500 : 0)
  const statusBetween = await desk.run('status', ...desk.stateDir, '-o', 'json')
  if (held) await scale(lab.cluster, node, 2)
  return { desk, killed, statusBetween, resumed: await desk.resume(plan).result }
}

async function expectSuccess(running: Promise<CliResult>): Promise<void> {
  const { code, stderr } = await running
  if (code !== 0) throw new Error(stderr)
}

const ages = (['1.20', '1.35'] as const).map((age) => ({
  age,
  skipped: requirePart('KUBE', controlPlaneMissing(age)) || requirePart('SSHD', missingForK3osRoot()),
}))
const killings = new Map<KubeAge, Promise<Killing>>()

// Both clusters, and all boundaries, at the same time: most of it is waiting.
beforeAll(async () => {
  for (const { age, skipped } of ages) if (!skipped) killings.set(age, beginKilling(age))
  await Promise.allSettled(killings.values())
})
afterAll(async () => {
  for (const killing of killings.values()) {
    const { lab, stories } = await killing
    await Promise.all(stories.values())
    await lab.stop()
  }
})

for (const { age, skipped } of ages)
  describe.skipIf(skipped)(`apply killed on a cluster of ${age}`, () => {
    let lab: SpineLab
    let stories: Killing['stories']
    beforeAll(async () => {
      const killing = await killings.get(age)
      if (killing === undefined) throw new Error(`no cluster of ${age}`)
      ;({ lab, stories } = killing)
    })

    async function storyOf(node: string): Promise<Story> {
      const [story] = (await stories.get(node)) ?? []
      if (story === undefined) throw new Error(`no story of ${node}`)
      if (story.status === 'rejected') throw story.reason
      return story.value
    }

    describe.each(boundaries[age])('$when', ({ node }) => {
      test('leaves a run whose status can be read', async () => {
        const { killed, statusBetween } = await storyOf(node)
        expect([killed.code, JSON.parse(statusBetween.stdout)]).toMatchObject([
          null,
          { nodes: [{ name: node, state: 'in-progress' }] },
        ])
      })

      test('is gone on with to the end', async () => {
        const { resumed } = await storyOf(node)
        expect(resumed).toMatchObject({ code: 0, stdout: expect.stringContaining('done') })
      })

      test('ends as a move that nobody disturbed', async () => {
        await storyOf(node)
        const { ready, unschedulable, osImage, annotations, taints, labels } = await nodeState(
          lab.cluster,
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

      test('has the machine rebuilt once', async () => {
        await storyOf(node)
        expect(lab.hookCalls.filter((call) => call.node === node)).toEqual([
          { node, attempt: 1, machine: 'k3os' },
        ])
      })

      test('leaves a journal that is whole, with one proof', async () => {
        const { desk } = await storyOf(node)
        const proofs = desk.journal().filter(resultOf('join'))
        expect(proofs.map(({ data }) => data['outcome'])).toEqual(['done'])
      })
    })

    test('nothing went wrong with a machine behind the back of the tool', async () => {
      await Promise.all(stories.values())
      expect(lab.troubles).toEqual([])
    })
  })

function onlyOn(...nodes: readonly string[]): object {
  const on = [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: nodes }] }]
  return { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: on } } }
}
