import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exitCode } from '../../../src/core/errors.ts'
import { controlPlaneMissing } from '../../support/control-plane.ts'
import { k3sResources } from '../../support/custom-resources.ts'
import * as workload from '../../support/kube-workload.ts'
import { requirePart } from '../../support/require-part.ts'
import { sitDown, type CliResult, type Desk } from '../../support/spine-cli.ts'
import { startSpineLab, type SpineLab } from '../../support/spine-lab.ts'
import { newSystem } from '../../support/spine-machine.ts'
import { spineScenario } from '../../support/spine-scenario.ts'
import { nodeState, recordOf, scale } from '../../support/spine-state.ts'
import { missingForK3osRoot } from '../../support/sshd.ts'

const upgradePlan = {
  apiVersion: 'upgrade.cattle.io/v1',
  kind: 'Plan',
  metadata: { name: 'k3os-latest', namespace: 'k3os-system' },
  spec: {
    nodeSelector: { matchExpressions: [{ key: 'k3os.io/upgrade', operator: 'In', values: ['latest'] }] },
    upgrade: { image: 'rancher/k3os' },
  },
}

const descheduler = {
  apiVersion: 'batch/v1beta1',
  kind: 'CronJob',
  metadata: { name: 'descheduler', namespace: 'shop' },
  spec: {
    schedule: '0 0 1 1 *',
    jobTemplate: {
      spec: {
        template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'none' }] } },
      },
    },
  },
}

/** What a plan may choose, on a real API server with its scheduler and controllers. */
describe.skipIf(
  requirePart('KUBE', controlPlaneMissing('1.20')) || requirePart('SSHD', missingForK3osRoot()),
)('what a plan chooses', () => {
  let lab: SpineLab
  let desk: Desk

  beforeAll(async () => {
    lab = await startSpineLab('1.20', spineScenario(['a', 'b', 'c']))
    desk = sitDown(lab)
    await workload.apply(lab.cluster, ...k3sResources, workload.namespace('k3os-system'))
    // One pod on each agent.
    await lab.cluster.kubectl(['cordon', 's'])
    await workload.apply(
      lab.cluster,
      upgradePlan,
      workload.deployment('web', 3, 1),
      workload.budget('1.20', 'web', 2),
      workload.deployment('cluster-autoscaler', 2, 1),
      workload.daemonSet('kured'),
      descheduler,
    )
    for (const name of ['a', 'b'])
      await lab.cluster.kubectl(['label', 'node', name, 'k3os.io/upgrade=latest'])
    await workload.untilReady(lab.cluster, 'web', 3)
    await workload.untilReady(lab.cluster, 'cluster-autoscaler', 2)
    await workload.untilBudgetAllows(lab.cluster, '1.20', 'web', 1)
    await lab.cluster.kubectl(['uncordon', 's'])
    await succeeds('inventory', ...lab.hosts)
  })
  afterAll(async () => {
    await lab?.stop()
  })

  async function succeeds(...args: readonly string[]): Promise<CliResult> {
    const result = await desk.run(...args)
    if (result.code !== 0) throw new Error(result.stderr)
    return result
  }

  /** Replicas, lock and suspension of all that works on nodes by itself. */
  async function others(): Promise<unknown[]> {
    const get = async (path: string) => {
      const { body } = await lab.cluster.request<{
        metadata: { annotations?: Record<string, string> }
        spec: { replicas?: number; suspend?: boolean }
      }>('GET', path)
      return body
    }
    const autoscaler = await get('/apis/apps/v1/namespaces/shop/deployments/cluster-autoscaler')
    const kured = await get('/apis/apps/v1/namespaces/shop/daemonsets/kured')
    const cron = await get('/apis/batch/v1beta1/namespaces/shop/cronjobs/descheduler')
    const marks = [autoscaler, kured, cron].filter(
      ({ metadata }) => metadata.annotations?.['k3os-migrate/paused'] !== undefined,
    )
    return [
      autoscaler.spec.replicas,
      kured.metadata.annotations?.['weave.works/kured-node-lock'] !== undefined,
      cron.spec.suspend,
      marks.length,
    ]
  }
  const atWork = [2, false, false, 0]
  const atRest = [0, true, true, 3]

  async function upgradeLabel(node: string): Promise<string | undefined> {
    return (await nodeState(lab.cluster, node)).labels['k3os.io/upgrade']
  }

  describe('two nodes, drained as kubectl does, given up after the first', () => {
    let planned: CliResult
    let applied: CliResult
    let between: unknown
    let abandoned: CliResult
    beforeAll(async () => {
      const which = ['--node', 'a', 'b', '--last', 'b', '--drain-mode', 'kubectl', '--no-soak']
      planned = await succeeds('plan', '--keeps-data', ...which, '--hook', ...lab.hook)
      applied = await desk.apply('plan.json', '--next').result
      between = [await upgradeLabel('b'), await others()]
      abandoned = await desk.run('abandon', desk.runDirectory() ?? '')
    }, 300_000)

    test('the plan says who stands still', () => {
      expect(planned.stdout).toMatch(
        /paused +until the last node is done: kured .*, cluster-autoscaler \(Deployment shop\/cluster-autoscaler: 0 replicas\), descheduler .*suspended/,
      )
    })

    test('the first is moved', async () => {
      expect(applied).toMatchObject({ code: 0 })
      expect(await nodeState(lab.cluster, 'a')).toMatchObject({ osImage: newSystem, unschedulable: false })
    })

    test('meanwhile k3OS does not upgrade the second, and nobody else works on nodes', () => {
      expect(between).toEqual(['disabled', atRest])
    })

    test('afterwards the second is as before, and the others are at work again', async () => {
      expect(abandoned).toMatchObject({ code: 0 })
      expect([await upgradeLabel('b'), await others()]).toEqual(['latest', atWork])
    })
  })

  describe('a drain that fails, with --on-drain-failure pause', () => {
    let blocked: CliResult
    let meanwhile: unknown
    let resumed: CliResult
    beforeAll(async () => {
      const pause = ['--on-drain-failure', 'pause', '--step-timeout', 'drain=15s', '--no-soak']
      await succeeds('inventory', ...lab.hosts)
      await succeeds('plan', '--keeps-data', '--node', 'b', ...pause, '--hook', ...lab.hook)
      await scale(lab.cluster, 'web', 2)
      await workload.untilBudgetAllows(lab.cluster, '1.20', 'web', 0)
      blocked = await desk.apply('plan.json').result
      meanwhile = [(await nodeState(lab.cluster, 'b')).unschedulable, await others()]
      await scale(lab.cluster, 'web', 3)
      await workload.untilBudgetAllows(lab.cluster, '1.20', 'web', 1)
      resumed = await desk.resume('plan.json').result
    }, 300_000)

    test('stops with the node cordoned and the others at rest', () => {
      expect([blocked.code, meanwhile]).toEqual([exitCode.blocked, [true, atRest]])
    })

    test('goes on when the budget allows it, and ends with the others at work', async () => {
      expect(resumed).toMatchObject({ code: 0 })
      expect([(await nodeState(lab.cluster, 'b')).osImage, await others()]).toEqual([newSystem, atWork])
    })
  })

  describe('a machine rebuilt by hand', () => {
    let moved: CliResult
    beforeAll(async () => {
      await succeeds('inventory', ...lab.hosts)
      await succeeds('plan', '--keeps-data', '--node', 'c', '--by-hand', '--no-soak')
      const running = desk.apply('plan.json')
      await recordOf(
        desk,
        ({ step, data }) => step === 'hand-over' && String(data['action']).startsWith('wait until'),
      )
      await rebuildByHand('c')
      moved = await running.result
    }, 300_000)

    /** As somebody who was told where the files are; they only have to reach the machine. */
    async function rebuildByHand(node: string): Promise<void> {
      const attempt = desk.journal().find(({ step }) => step === 'hand-over')?.attempt
      const seed = join(desk.runDirectory() ?? '', 'nodes', node, `seed-${attempt}`)
      const server = lab.hook[2] ?? ''
      const body = JSON.stringify({ node, attempt, seed, keepsData: true })
      const answer = await fetch(server, { method: 'POST', body })
      if (!answer.ok) throw new Error(await answer.text())
    }

    test('is proven and finished by the run that waited for it', async () => {
      expect(moved).toMatchObject({ code: 0 })
      expect(await nodeState(lab.cluster, 'c')).toMatchObject({
        osImage: newSystem,
        unschedulable: false,
        ready: true,
      })
    })
  })

  test('nothing went wrong with a machine behind the back of the runs', () => {
    expect(lab.troubles).toEqual([])
  })
})
