import { describe, expect, it } from 'vitest'
import { exitCode } from '../../../src/core/errors.ts'
import { dryRun, type DryRun } from '../../../src/migrate/dry-run.ts'
import { simulate, smallScenario, type Simulated } from '../../support/simulated-run.ts'

async function sentencesOf(simulated: Simulated, changes: Partial<DryRun> = {}) {
  const sentences: string[] = []
  await dryRun({
    plan: simulated.plan,
    ports: simulated.ports,
    translate: async () => ({ files: [], delivery: { kind: 'none', reason: 'test' } }),
    stop: new AbortController().signal,
    onSentence: (node, step, sentence) => sentences.push(`${node.name} ${step}: ${sentence ?? '-'}`),
    ...changes,
  })
  return sentences
}

/** Everything that can change, except time. */
function world({ world: { nodes, pods }, files, journal }: Simulated): string {
  return JSON.stringify([
    [...nodes.values()].map(({ kube, system, files: own }) => [kube, system, [...own]]),
    pods,
    [...files],
    journal,
  ])
}

describe('a dry run', () => {
  it('says every sentence that the run then acts on for the next node, in the same order', async () => {
    const simulated = simulate(smallScenario())
    const said = (await sentencesOf(simulated)).filter((sentence) => sentence.startsWith('a '))
    await simulated.start({ limit: 1 })
    const done = simulated.events.flatMap((event) =>
      event.type === 'action' ? [`${event.node} ${event.step}: ${event.describe}`] : [],
    )
    // Seeds and evictions depend on the moment: compared by step, not by word.
    const byStep = (sentences: readonly string[]) =>
      sentences.filter((sentence) => !sentence.endsWith(': -') && !/ (stage|drain): /.test(sentence))
    expect(byStep(said)).toEqual(byStep(done))
  })

  it('changes nothing', async () => {
    const simulated = simulate(smallScenario())
    const before = world(simulated)
    await sentencesOf(simulated)
    expect(world(simulated)).toBe(before)
  })

  it('ends at the first gate that does not hold, as the run would', async () => {
    const simulated = simulate(smallScenario())
    const node = simulated.world.node('b')
    if (node) node.kube.systemUuid = 'another-machine'
    await expect(sentencesOf(simulated)).rejects.toMatchObject({ exitCode: exitCode.stalePlan })
  })

  it('stops when asked to', async () => {
    const stop = new AbortController()
    const simulated = simulate(smallScenario())
    const said: string[] = []
    const running = sentencesOf(simulated, {
      stop: stop.signal,
      onSentence(node) {
        said.push(node.name)
        stop.abort()
      },
    })
    await expect(running).rejects.toMatchObject({ exitCode: exitCode.interrupted })
    expect(new Set(said)).toEqual(new Set(['a']))
  })
})
