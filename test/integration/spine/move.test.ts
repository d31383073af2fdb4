import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Outcome } from '../../../src/core/outcome.ts'
import { controlPlaneMissing, startControlPlane, type ControlPlane } from '../../support/control-plane.ts'
import {
  apply,
  budget,
  daemonSet,
  deployment,
  pods,
  untilBudgetAllows,
  untilReady,
} from '../../support/kube-workload.ts'
import { requirePart } from '../../support/require-part.ts'
import { readPlanFile, sitDown, type CliResult, type Desk } from '../../support/spine-cli.ts'
import { startSpineLab, type SpineLab } from '../../support/spine-lab.ts'
import { newSystem } from '../../support/spine-machine.ts'
import { kubectlLabel, spineScenario } from '../../support/spine-scenario.ts'
import {
  everythingIn,
  filesBelow,
  hostKeyLines,
  nodeState,
  recordOf,
  scale,
  secretsIn,
  type NodeState,
} from '../../support/spine-state.ts'
import { missingForK3osRoot } from '../../support/sshd.ts'

const marker = 'k3os-migrate/run'
const names = ['s', 'a', 'b'] as const

/**
 * The whole job as a user does it, at the command line, on a real API server and real sshds: one server `s` and two
 * agents. `a` has a volume, so `b` is the first. All pods of `web` are on it, and their budget has no room while there
 * are only two of them.
 */
for (const age of ['1.20', '1.35'] as const)
  describe.skipIf(requirePart('KUBE', controlPlaneMissing(age)) || requirePart('SSHD', missingForK3osRoot()))(
    `moving a cluster of ${age}`,
    () => {
      let lab: SpineLab
      let desk: Desk
      let hostKeys: ReadonlyMap<string, string>
      const atFirst = new Map<string, NodeState>()

      beforeAll(async () => {
        lab = await startSpineLab(age, spineScenario(['a', 'b']))
        hostKeys = hostKeyLines(lab)
        desk = sitDown(lab)
        await cordon('s', 'a')
        await apply(lab.cluster, deployment('web', 3, 1), budget(age, 'web', 2), daemonSet('logs'))
        await untilReady(lab.cluster, 'web', 3)
        await untilReady(lab.cluster, 'logs', 3)
        await uncordon('s', 'a')
        await untilBudgetAllows(lab.cluster, age, 'web', 1)
        for (const name of names) atFirst.set(name, await nodeState(lab.cluster, name))
      })
      afterAll(async () => {
        await lab?.stop()
      })

      async function cordon(...nodes: readonly string[]): Promise<void> {
        for (const node of nodes) await lab.cluster.kubectl(['cordon', node])
      }
      async function uncordon(...nodes: readonly string[]): Promise<void> {
        for (const node of nodes) await lab.cluster.kubectl(['uncordon', node])
      }
      const stateNow = async (name: string) => nodeState(lab.cluster, name)
      const outcomeFile = (): Outcome =>
        JSON.parse(readFileSync(join(desk.runDirectory() ?? '', 'outcome.json'), 'utf8')) as Outcome

      describe('before anything moves', () => {
        let inventory: CliResult
        let assessed: CliResult
        let planned: CliResult
        let before: Record<string, string>
        beforeAll(async () => {
          before = await everythingIn(lab)
          inventory = await desk.run('inventory', ...lab.hosts)
          assessed = await desk.run('assess', '-o', 'json')
          // A drain that is blocked shall not take half an hour here.
          const times = ['--step-timeout', 'drain=14s', '--soak', '2s', '--canary-soak', '2s']
          planned = await desk.run('plan', '--keeps-data', ...times, '--hook', ...lab.hook)
        })

        test('the inventory reads every node', () => {
          expect(inventory).toMatchObject({ code: 0, stderr: expect.stringContaining('[3/3]') })
        })

        test('the assessment finds nothing that stops a move but the volume, which the plan will keep', () => {
          const { findings } = JSON.parse(assessed.stdout) as {
            findings: { rule: string; severity: string }[]
          }
          const stopping = findings.filter(({ severity }) => severity === 'inhibitor')
          expect(stopping.map(({ rule }) => rule)).toEqual(['PRE-LOCALPV'])
        })

        test('the plan has the agents first, the one with data after the other, and the server last', () => {
          const plan = readPlanFile(join(desk.folder, 'plan.json'))
          expect([planned.code, plan.nodes.map(({ name }) => name)]).toEqual([0, ['b', 'a', 's']])
        })

        test('a dry run says what it would do to each node', async () => {
          const { code, stdout } = await desk.run('apply', 'plan.json', '--dry-run')
          expect(code).toBe(0)
          for (const name of names)
            for (const sentence of [`cordon ${name}`, `reimage ${name}: run`, `uncordon ${name}`])
              expect(stdout).toContain(sentence)
        })

        test.each([
          ['without an approval', []],
          ['with the approval of another plan', ['--approve-plan', `sha256:${'0'.repeat(64)}`]],
        ])('apply %s and without a terminal ends with 10', async (_, approval) => {
          const { code, stderr } = await desk.run('apply', 'plan.json', ...desk.stateDir, ...approval)
          expect({ code, stderr }).toEqual({ code: 10, stderr: expect.stringContaining('hint: ') })
        })

        test('apply with a closed standard input ends with 10', async () => {
          expect((await desk.runWithClosedInput('apply', 'plan.json', ...desk.stateDir)).code).toBe(10)
        })

        test('a plan that was changed by hand is refused with 5', async () => {
          const file = join(desk.folder, 'plan.json')
          const changed = join(desk.folder, 'changed.json')
          writeFileSync(
            changed,
            readFileSync(file, 'utf8').replace('"maxAgeHours": 24', '"maxAgeHours": 9000'),
          )
          expect((await desk.apply('changed.json').result).code).toBe(5)
        })

        test('an inventory that was taken again since is refused with 5', async () => {
          const file = join(desk.folder, 'k3os-inventory/inventory.yaml')
          const original = readFileSync(file)
          writeFileSync(file, `${original.toString()}# taken again\n`)
          const { code } = await desk.apply('plan.json').result
          writeFileSync(file, original)
          expect(code).toBe(5)
        })

        test('none of this changed anything in the cluster or on a machine', async () => {
          expect(await everythingIn(lab)).toEqual(before)
        })

        test('none of this began a run', () => {
          expect(desk.runDirectory()).toBeUndefined()
        })

        describe('another cluster with nodes of the same names', () => {
          let other: ControlPlane
          beforeAll(async () => {
            other = await startControlPlane({ age })
            for (const name of names) await other.createNode({ name })
          })
          afterAll(async () => {
            await other?.stop()
          })

          test('is refused with 5', async () => {
            const elsewhere = sitDown(lab, desk)
            const running = elsewhere.apply('plan.json', '--kubeconfig', other.kubeconfig)
            expect((await running.result).code).toBe(5)
          })

          test('is not touched', async () => {
            const states = await Promise.all(names.map(async (name) => nodeState(other, name)))
            expect(
              states.map(({ unschedulable, annotations }) => [unschedulable, annotations[marker]]),
            ).toEqual(Array(3).fill([false, undefined]))
          })
        })
      })

      describe('a drain that a disruption budget forbids', () => {
        let blocked: CliResult
        let before: string[]
        const webPods = async () =>
          (await pods(lab.cluster, 'web'))
            .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
            .map(({ metadata }) => metadata.uid)
            .toSorted()
        beforeAll(async () => {
          await scale(lab.cluster, 'web', 2)
          await untilBudgetAllows(lab.cluster, age, 'web', 0)
          before = await webPods()
          blocked = await desk.apply('plan.json').result
        })

        test('ends with 9', () => {
          expect(blocked.code).toBe(9)
        })

        test('is told with the name of the budget', () => {
          expect(blocked.stderr).toMatch(/^error: .*shop\/web.*\nhint: /m)
        })

        test.each(names)('leaves %s as it was, without cordon, taint or mark', async (name) => {
          expect(await stateNow(name)).toEqual(atFirst.get(name))
        })

        test('leaves the pods where they were', async () => {
          expect(await webPods()).toEqual(before)
        })

        test('leaves no secrets of the attempt', () => {
          const left = filesBelow(desk.runDirectory() ?? '').filter((name) => name.includes('seed-'))
          expect(left).toEqual([])
        })

        test('pauses the run, with the next command', () => {
          const { status, exit, nodes, next } = outcomeFile()
          expect({ status, exit, states: nodes.map(({ state }) => state), next }).toEqual({
            status: 'paused',
            exit: 9,
            states: ['rolled-back', 'pending', 'pending'],
            next: expect.stringMatching(/^k3os-migrate resume \S+$/),
          })
        })

        test('status says the same', async () => {
          const { stdout } = await desk.run('status', ...desk.stateDir, '-o', 'json')
          expect(JSON.parse(stdout)).toEqual(outcomeFile())
        })

        test('cannot be resumed from a journal that somebody changed', async () => {
          const file = join(desk.runDirectory() ?? '', 'journal.jsonl')
          const original = readFileSync(file, 'utf8')
          writeFileSync(file, original.replace('"wasUnschedulable":false', '"wasUnschedulable":true'))
          const { code } = await desk.resume('plan.json').result
          const untouched = await stateNow('b')
          writeFileSync(file, original)
          expect([code, untouched]).toEqual([5, atFirst.get('b')])
        })
      })

      describe('the run that goes on when the budget allows it', () => {
        let resumed: CliResult
        let second: CliResult
        let foreign: CliResult
        let underWay: Outcome
        beforeAll(async () => {
          await scale(lab.cluster, 'web', 3)
          await untilBudgetAllows(lab.cluster, age, 'web', 1)
          const running = desk.resume('plan.json', '-o', 'jsonl')
          await recordOf(
            desk,
            ({ attempt, step, phase }) => attempt === 2 && step === 'drain' && phase === 'intent',
          )
          ;[second, foreign, underWay] = await Promise.all([
            desk.resume('plan.json').result,
            sitDown(lab, desk).apply('plan.json').result,
            desk
              .run('status', ...desk.stateDir, '-o', 'json')
              .then(({ stdout }) => JSON.parse(stdout) as Outcome),
          ])
          // In the middle of it, the API server of the other agent's turn dies and returns.
          await recordOf(
            desk,
            ({ node, step, phase }) => node === 'a' && step === 'capture' && phase === 'result',
          )
          await lab.killApiServer()
          await new Promise((resolve) => setTimeout(resolve, 1_000))
          await lab.startApiServer()
          resumed = await running.result
          // Three nodes, and after each the workloads are looked at three times in a row.
        }, 400_000)

        test('finishes', () => {
          expect(resumed).toMatchObject({ code: 0 })
        })

        test('keeps a second process away with 6', () => {
          expect(second.code).toBe(6)
        })

        test('keeps another run of the same plan away with 6', () => {
          expect(foreign.code).toBe(6)
        })

        test('tells its status while it goes on', () => {
          expect(underWay.nodes.map(({ name, state, step }) => [name, state, step])).toEqual([
            ['b', 'in-progress', 'drain'],
            ['a', 'pending', null],
            ['s', 'pending', null],
          ])
        })

        test('asked for each machine to be rebuilt once', () => {
          expect(lab.hookCalls).toEqual(
            ['b', 'a', 's'].map((node) => ({ node, attempt: node === 'b' ? 2 : 1, machine: 'k3os' })),
          )
        })

        test('saw k3s start on each machine, with its node password and this attempt’s nonce', () => {
          expect(lab.troubles).toEqual([])
        })

        test.each(names)('brings %s back as the same Node, Ready, on the new system', async (name) => {
          const now = await stateNow(name)
          const { uid, bootId } = atFirst.get(name) ?? {}
          expect(now).toMatchObject({ uid, ready: true, unschedulable: false, osImage: newSystem })
          expect(now.bootId).not.toBe(bootId)
        })

        test.each(names)('keeps the labels of %s that were set with kubectl', async (name) => {
          expect((await stateNow(name)).labels[kubectlLabel.key]).toBe(kubectlLabel.value(name))
        })

        test.each(names)('takes the labels of k3OS off %s', async (name) => {
          const { labels } = await stateNow(name)
          expect(Object.keys(labels).filter((key) => key.startsWith('k3os.io/'))).toEqual([])
        })

        test.each(names)('keeps the taints of %s', async (name) => {
          expect((await stateNow(name)).taints).toEqual(atFirst.get(name)?.taints)
        })

        test.each(names)('leaves no mark on %s', async (name) => {
          expect((await stateNow(name)).annotations[marker]).toBeUndefined()
        })

        test('has the pods Ready elsewhere', async () => {
          await untilReady(lab.cluster, 'web', 3)
          const places = (await pods(lab.cluster, 'web')).map(({ spec }) => spec.nodeName)
          expect(places).toHaveLength(3)
        })

        test('keeps the data of the volume', () => {
          const path = '/var/lib/rancher/k3s/storage/pvc-1_shop_data-till-0/data'
          expect(readFileSync(join(lab.machine('a').root, path), 'utf8')).toBe(
            'data of /var/lib/rancher/k3s/storage/pvc-1_shop_data-till-0\n',
          )
        })

        test('lived through an API server that died, and one that moved with its machine', () => {
          expect(lab.outages.map(({ to }) => to === null)).toEqual([false, false])
        })

        test('took nothing for proven while nobody served the API', () => {
          const proven = desk
            .journal()
            .filter(
              ({ step, phase }) =>
                phase === 'result' && ['cordon', 'join', 'restore', 'uncordon'].includes(step),
            )
            .filter(({ data }) => data['outcome'] === 'done')
            .map(({ ts }) => ts)
          const meanwhile = proven.filter((ts) =>
            lab.outages.some(({ from, to }) => from < ts && ts < (to ?? '')),
          )
          expect([proven.length > 0, meanwhile]).toEqual([true, []])
        })

        test('writes a complete outcome', () => {
          const { status, exit, nodes, next } = outcomeFile()
          expect({ status, exit, states: nodes.map(({ state }) => state), next }).toEqual({
            status: 'complete',
            exit: 0,
            states: ['done', 'done', 'done'],
            next: null,
          })
        })

        test('proves each machine in the outcome', () => {
          const proofs = Object.fromEntries(outcomeFile().nodes.map(({ name, proof }) => [name, proof]))
          for (const { name, machine } of lab.scenario.nodes)
            expect(proofs[name]).toMatchObject({
              systemUuid: machine.uuid,
              bootIdBefore: atFirst.get(name)?.bootId,
              osImageAfter: newSystem,
              nonce: expect.stringMatching(/^[0-9a-f]{32}$/),
            })
        })

        test('status says the same', async () => {
          const { stdout } = await desk.run('status', ...desk.stateDir, '-o', 'json')
          expect(JSON.parse(stdout)).toEqual(outcomeFile())
        })

        test.each(['html', 'markdown'])('is told by a report in %s, with its proofs', async (format) => {
          const file = `report.${format}`
          const { code } = await desk.run('report', ...desk.stateDir, '-o', format, '--out', file)
          const report = readFileSync(join(desk.folder, file), 'utf8')
          expect(code).toBe(0)
          for (const { proof } of outcomeFile().nodes) expect(report).toContain(proof?.bootIdAfter)
        })

        test('is done: resuming it again changes nothing', async () => {
          const before = await everythingIn(lab)
          const { code } = await desk.resume('plan.json').result
          expect([code, await everythingIn(lab)]).toEqual([0, before])
        })
      })

      describe('secrets', () => {
        const mayHold = /(^|\/)(nodes\/[^/]+\/seed-\d+|bundles)\//

        test('stay in bundles and seeds', () => {
          const leaked = filesBelow(desk.folder)
            .filter((name) => !mayHold.test(name))
            .map(
              (name) =>
                [name, secretsIn(readFileSync(join(desk.folder, name), 'utf8'), lab, hostKeys)] as const,
            )
            .filter(([, secrets]) => secrets.length > 0)
          expect(leaked).toEqual([])
        })

        test('are in the seeds: the search finds what there is', () => {
          const seeds = filesBelow(desk.folder).filter((name) => name.endsWith('/user-data'))
          const found = seeds.flatMap((name) =>
            secretsIn(readFileSync(join(desk.folder, name), 'utf8'), lab, hostKeys),
          )
          expect(new Set(found)).toEqual(
            new Set([
              'token',
              'registry password',
              ...names.flatMap((name) => [`password of ${name}`, `host key of ${name}`]),
            ]),
          )
        })

        test('are in files that only their owner can read', () => {
          const open = filesBelow(desk.folder)
            .filter(
              (name) => secretsIn(readFileSync(join(desk.folder, name), 'utf8'), lab, hostKeys).length > 0,
            )
            .filter((name) => (statSync(join(desk.folder, name)).mode & 0o077) !== 0)
          expect(open).toEqual([])
        })

        test('are not in what the cluster keeps of the run', async () => {
          const { stdout } = await lab.cluster.kubectl([
            'get',
            'lease',
            '-n',
            'kube-system',
            'k3os-migrate',
            '-o',
            'json',
          ])
          expect([stdout.includes('RunRecord'), secretsIn(stdout, lab, hostKeys)]).toEqual([true, []])
        })

        test('the record of the run is told from elsewhere', async () => {
          const { stdout } = await desk.run('status', '--from-cluster', '-o', 'json')
          expect(JSON.parse(stdout)).toMatchObject({
            kind: 'ClusterRun',
            lock: null,
            run: { status: 'complete', nodes: names.map(() => ({ state: 'done' })) },
          })
        })

        test('are not told, although the hook tells them all', () => {
          const told = desk.said.join('\n')
          expect([told.includes('hook: '), secretsIn(told, lab, hostKeys)]).toEqual([true, []])
        })
      })
    },
  )
