import { describe, expect, it } from 'vitest'
import { exitCode } from '../../../src/core/errors.ts'
import type { StepId } from '../../../src/core/plan.ts'
import { simulate, smallScenario, type Simulated } from '../../support/simulated-run.ts'

/** Does something to the world soon after the step of the first node has ended: pods that start then are ready by now. */
function after(simulated: Simulated, step: StepId, act: () => void): void {
  const { clock } = simulated.world
  const append = simulated.journal.push.bind(simulated.journal)
  let acted = false
  simulated.journal.push = (...records) => {
    if (!acted && records.some((record) => record.step === step && record.phase === 'result')) {
      acted = true
      clock.at(clock.monotonicMs() + 12_000, act)
    }
    return append(...records)
  }
}

const web = ({ world }: Simulated) =>
  world.pods.filter((pod) => pod.name.startsWith('web-') && !pod.terminating)

const resultOf = ({ journal }: Simulated, step: StepId) =>
  journal.find((record) => record.node === 'a' && record.step === step && record.phase === 'result')?.data

describe('workloads after a move', () => {
  it('are waited for, several looks in a row', async () => {
    const simulated = simulate(smallScenario())
    // A pod that is not ready for two minutes after the node is back.
    after(simulated, 'uncordon', () => {
      const [pod] = web(simulated)
      if (pod === undefined) return
      pod.ready = false
      simulated.world.clock.at(simulated.world.clock.monotonicMs() + 120_000, () => {
        pod.ready = true
      })
    })
    const { error } = await simulated.start({ limit: 1 })
    expect(error).toBeNull()
    const waited = simulated.events.some(
      (event) => event.type === 'step.progress' && event.message.includes('Deployment shops/web-7c9d has'),
    )
    expect(waited).toBe(true)
  })

  it('that stay below what they were stop the run before the next node', async () => {
    const simulated = simulate(smallScenario())
    after(simulated, 'uncordon', () => {
      for (const pod of web(simulated)) pod.ready = false
    })
    const { error } = await simulated.start()
    expect(error?.exitCode).toBe(exitCode.postCheckFailed)
    expect(error?.message).toContain('Deployment shops/web-7c9d has')
    expect(simulated.world.node('b')?.system).toBe('k3os')
  })

  it('that were sick before are not blamed on the move', async () => {
    const simulated = simulate(smallScenario())
    for (const pod of web(simulated)) pod.ready = false
    const { error } = await simulated.start({ limit: 1 })
    expect(error?.message ?? '').not.toContain('Deployment shops/web')
    expect(resultOf(simulated, 'workloads')).toMatchObject({ outcome: 'done' })
  })

  it('that somebody scaled down meanwhile are not waited for', async () => {
    const simulated = simulate(smallScenario())
    after(simulated, 'uncordon', () => {
      const gone = web(simulated).slice(1)
      simulated.world.pods = simulated.world.pods.filter((pod) => !gone.includes(pod))
    })
    const { error } = await simulated.start({ limit: 1 })
    expect(error).toBeNull()
  })

  it('are watched while the node is: what breaks then stops the run', async () => {
    const simulated = simulate(smallScenario())
    after(simulated, 'workloads', () => {
      for (const pod of web(simulated)) pod.ready = false
    })
    const { error } = await simulated.start()
    expect(error?.exitCode).toBe(exitCode.postCheckFailed)
    expect(error?.message).toContain('does not stay well')
  })
})

describe('a node that came back', () => {
  it.each(['node.kubernetes.io/disk-pressure', 'node.kubernetes.io/network-unavailable'])(
    'with the taint %s is not well yet',
    async (key) => {
      const simulated = simulate(smallScenario())
      after(simulated, 'release', () => {
        const node = simulated.world.node('a')
        node?.kube.taints.push({ key, value: '', effect: 'NoSchedule' })
      })
      const { error } = await simulated.start({ limit: 1 })
      expect(error?.message).toContain(`it carries the taint ${key}`)
    },
  )

  it('under another address is another node', async () => {
    const simulated = simulate(smallScenario())
    after(simulated, 'release', () => {
      const node = simulated.world.node('a')
      if (node !== undefined) node.kube.addresses = [{ type: 'InternalIP', address: '192.0.2.99' }]
    })
    const { error } = await simulated.start({ limit: 1 })
    expect(error?.exitCode).toBe(exitCode.postCheckFailed)
    expect(error?.message).toContain('InternalIP 192.0.2.99 instead of')
  })
})
