import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { abandon } from '../../../src/commands/abandon.ts'
import { apply } from '../../../src/commands/apply.ts'
import { finalize, finalizeApply } from '../../../src/commands/finalize.ts'
import { inventory } from '../../../src/commands/inventory.ts'
import { status } from '../../../src/commands/status.ts'
import { exitCode, MigrateError } from '../../../src/core/errors.ts'
import { leftoverText, type FinalizePlan } from '../../../src/core/finalize.ts'
import type { JournalRecord } from '../../../src/core/journal.ts'
import {
  commandRules,
  permissionsOf,
  permissionText,
  rbacObjects,
  rulesFor,
  type Permission,
  type RbacCommand,
  type RbacRule,
} from '../../../src/core/rbac.ts'
import { controlPlaneMissing, type AuditEvent } from '../../support/control-plane.ts'
import { k3sResources } from '../../support/custom-resources.ts'
import * as workload from '../../support/kube-workload.ts'
import { until } from '../../support/lab-processes.ts'
import { accountKubeconfig } from '../../support/rbac-account.ts'
import { recordingIo } from '../../support/recording-io.ts'
import { requirePart } from '../../support/require-part.ts'
import { killAt, readPlanFile, sitDown, type CliResult, type Desk } from '../../support/spine-cli.ts'
import { startSpineLab, type SpineLab } from '../../support/spine-lab.ts'
import { newSystem } from '../../support/spine-machine.ts'
import { spineScenario } from '../../support/spine-scenario.ts'
import { everythingIn, scale } from '../../support/spine-state.ts'
import { missingForK3osRoot } from '../../support/sshd.ts'

const namespace = 'movers'
const canary = 'canary-hash-of-a-node-password'

/** What the plan of this cluster has to stop meanwhile, and with that what its commands may. */
const pauses = [
  {
    controller: 'cluster-autoscaler',
    kind: 'Deployment',
    namespace: 'shop',
    name: 'cluster-autoscaler',
    isAtRest: false,
  },
] as const
const rulesOf = (command: RbacCommand) => rulesFor(command, pauses)

/** The rules without one verb on one resource. */
function without(rules: readonly RbacRule[], permission: Permission): RbacRule[] {
  return rules.flatMap((rule) => {
    if (rule.apiGroup !== permission.apiGroup || rule.namespace !== permission.namespace) return [rule]
    return rule.resources
      .map((resource) => ({
        ...rule,
        resources: [resource],
        verbs: rule.verbs.filter((verb) => resource !== permission.resource || verb !== permission.verb),
      }))
      .filter(({ verbs }) => verbs.length > 0)
  })
}

/**
 * Each command with an account made of nothing but what `rbac` prints for it; the API server's audit log says what was
 * asked for. Then with one verb less.
 */
for (const age of ['1.20', '1.35'] as const)
  describe.skipIf(requirePart('KUBE', controlPlaneMissing(age)) || requirePart('SSHD', missingForK3osRoot()))(
    `permissions on ${age}`,
    () => {
      let lab: SpineLab
      let desk: Desk
      const files = new Map<string, string>()

      beforeAll(async () => {
        lab = await startSpineLab(age, spineScenario(['b']), { audited: namespace })
        desk = sitDown(lab)
        await workload.apply(lab.cluster, ...k3sResources, workload.namespace(namespace))
        // A node that is no longer there when the run is over.
        await lab.cluster.createNode({ name: 'gone', nodeInfo: { osImage: newSystem } })
        await lab.cluster.startKubelet('gone')
        await lab.cluster.kubectl(['cordon', 's', 'gone'])
        await workload.apply(
          lab.cluster,
          workload.deployment('web', 2, 1),
          workload.budget(age, 'web', 1),
          workload.daemonSet('logs'),
          workload.deployment('cluster-autoscaler', 1, 1),
        )
        await workload.untilReady(lab.cluster, 'web', 2)
        await workload.untilReady(lab.cluster, 'logs', 3)
        await workload.untilReady(lab.cluster, 'cluster-autoscaler', 1)
        await lab.cluster.kubectl(['uncordon', 's', 'gone'])
        await workload.untilBudgetAllows(lab.cluster, age, 'web', 1)
        for (const command of Object.keys(commandRules)) if (!needsPlan(command)) await makeAccount(command)
      })
      afterAll(async () => {
        await lab?.stop()
      })

      /** These may stop what the plan says, so that the plan comes first. */
      const needsPlan = (command: string) => ['apply', 'resume', 'abandon'].includes(command)

      async function makeAccount(command: string): Promise<void> {
        const plan = needsPlan(command) ? ['--plan', 'plan.json'] : []
        const { code, stdout, stderr } = await desk.run(
          'rbac',
          ...command.split(' '),
          '--namespace',
          namespace,
          ...plan,
        )
        if (code !== 0) throw new Error(stderr)
        const applied = await lab.cluster.kubectl(['apply', '-f', '-'], stdout)
        if (applied.code !== 0) throw new Error(applied.stderr)
        const name = nameOf(command)
        files.set(command, await accountKubeconfig(lab.cluster, lab.home, { namespace, name }))
      }

      const nameOf = (command: string) => `k3os-migrate-${command.replaceAll(/ (--)?/g, '-')}`
      const as = (command: RbacCommand) => ['--kubeconfig', files.get(command) ?? '']

      function asked(command: RbacCommand): AuditEvent[] {
        const username = `system:serviceaccount:${namespace}:${nameOf(command)}`
        return lab.cluster
          .audit()
          .filter(({ user, objectRef }) => user.username === username && objectRef?.resource !== undefined)
          .filter(({ objectRef }) => objectRef?.resource !== 'selfsubjectaccessreviews')
      }

      function grants(permission: Permission, { verb, objectRef }: AuditEvent): boolean {
        const { apiGroup = '', resource = '', subresource, namespace: where, name } = objectRef ?? {}
        return (
          permission.verb === verb &&
          permission.apiGroup === apiGroup &&
          permission.resource === (subresource === undefined ? resource : `${resource}/${subresource}`) &&
          (permission.namespace === null || permission.namespace === where) &&
          (permission.name === null || permission.name === name)
        )
      }

      /** An API server that has just come back refuses what it has not read the roles for yet. */
      function isAfterOutage(at: string): boolean {
        return lab.outages.some(
          ({ to }) => to !== null && to <= at && Date.parse(at) - Date.parse(to) < 10_000,
        )
      }

      function expectExact(command: RbacCommand, hidden: readonly string[] = []): void {
        const events = asked(command)
        const permissions = permissionsOf(rulesOf(command))
        const refused = events.filter(
          ({ responseStatus, requestReceivedTimestamp: at }) =>
            responseStatus?.code === 403 && !isAfterOutage(at),
        )
        const unused = permissions.filter((one) => !events.some((event) => grants(one, event)))
        const unlisted = events.filter((event) => !permissions.some((one) => grants(one, event)))
        expect({ refused, unused: unused.map(permissionText), unlisted }).toEqual({
          refused: [],
          unused: hidden,
          unlisted: [],
        })
      }

      /** Permissions for kinds that Kubernetes of this age does not have. */
      let notServed: string[]
      beforeAll(async () => {
        const { stdout } = await lab.cluster.kubectl(['api-resources', '--verbs=list', '-o', 'name'])
        const served = new Set(stdout.split('\n'))
        const optional = rulesOf('inventory').filter((rule) => rule.optional === true)
        notServed = permissionsOf(optional)
          .filter(({ resource, apiGroup }) => !served.has(`${resource}.${apiGroup}`))
          .map(permissionText)
      })

      const cases = (command: RbacCommand) =>
        permissionsOf(rulesOf(command).filter(({ optional }) => optional !== true)).map(
          (permission) => [permissionText(permission), permission] as const,
        )

      /** What the command ends with, once the roles of the new account have come to the server's knowledge. */
      async function refusal(
        command: RbacCommand,
        permission: Permission,
        run: (kubeconfig: string) => Promise<unknown>,
      ): Promise<unknown> {
        const index = permissionsOf(rulesOf(command)).findIndex(
          (one) => permissionText(one) === permissionText(permission),
        )
        const name = `${nameOf(command)}-${index}`
        const objects = rbacObjects(without(rulesOf(command), permission), { name, namespace })
        await workload.apply(lab.cluster, ...objects.map(({ object }) => object))
        const kubeconfig = await accountKubeconfig(lab.cluster, lab.home, { namespace, name })
        let end: unknown
        await until(`${name} lacks one permission only`, AbortSignal.timeout(10_000), async () => {
          end = await run(kubeconfig).catch((error: unknown) => error)
          return !(end instanceof MigrateError) || !end.message.split(' at ')[0]?.includes(', ')
        })
        return end
      }

      function expectNamed(end: unknown, text: string): void {
        expect(end).toMatchObject({
          exitCode: exitCode.permission,
          message: expect.stringMatching(new RegExp(`^no permission to ${text.replaceAll('.', '\\.')} at `)),
          hint: expect.any(String),
        })
      }

      describe('inventory', () => {
        let result: CliResult
        beforeAll(async () => {
          result = await desk.run('inventory', ...lab.hosts, ...as('inventory'))
        })
        test('works', () => {
          expect(result).toMatchObject({ code: 0 })
        })
        test('asks for all that is printed, and for nothing else', () => {
          expectExact('inventory', notServed)
        })
      })

      describe('inventory --via-pod', () => {
        let result: CliResult
        beforeAll(async () => {
          const pod = ['--via-pod', '--image', 'none', '--timeout', '20s', '--out', 'pods']
          result = await desk.run('inventory', 'b', ...pod, ...as('inventory --via-pod'))
        })
        test('comes as far as simulated kubelets let it: into no pod', () => {
          expect(result).toMatchObject({
            code: 3,
            stderr: expect.stringContaining('reading b through the pod'),
          })
        })
        test('asks for all that is printed, and for nothing else', () => {
          // Since 1.35 the server asks itself for this one, when it opens the connection.
          expectExact('inventory --via-pod', [...notServed, 'create pods/exec in namespace kube-system'])
        })
      })

      describe('inventory --clean-up', () => {
        let result: CliResult
        beforeAll(async () => {
          const pod = {
            apiVersion: 'v1',
            kind: 'Pod',
            metadata: {
              name: 'k3os-migrate-collector-lost',
              namespace: 'kube-system',
              labels: { 'k3os-migrate/collector': 'true' },
              annotations: { 'k3os-migrate/owner': owner() },
            },
            spec: { nodeName: 'b', containers: [{ name: 'collector', image: 'none' }] },
          }
          await workload.apply(lab.cluster, pod)
          result = await desk.run('inventory', '--clean-up', ...as('inventory --clean-up'))
        })
        test('works', () => {
          expect(result).toMatchObject({
            code: 0,
            stdout: 'removed kube-system/k3os-migrate-collector-lost\n',
          })
        })
        test('asks for all that is printed, and for nothing else', () => {
          expectExact('inventory --clean-up')
        })
      })

      describe('with one verb less', () => {
        let before: Record<string, string>
        beforeAll(async () => {
          await lab.cluster.kubectl(['delete', 'node', 'gone'])
          // Its pod would go by itself, in a minute or so: in the middle of what must change nothing.
          const ofGone = ['--field-selector', 'spec.nodeName=gone', '--force', '--grace-period=0']
          await lab.cluster.kubectl(['delete', 'pods', '-n', 'shop', ...ofGone])
          const quick = ['--no-soak', '--keeps-data', '--hook', ...lab.hook]
          const planned = await desk.run('plan', ...quick)
          if (planned.code !== 0) throw new Error(planned.stderr)
          for (const command of Object.keys(commandRules)) if (needsPlan(command)) await makeAccount(command)
          before = await everythingIn(lab)
        })

        test.each(cases('apply'))('apply cannot %s, and says so', async (text, permission) => {
          const { digest } = readPlanFile(join(desk.folder, 'plan.json'))
          const options = {
            plan: 'plan.json',
            stateDir: 'refused',
            approvePlan: digest,
            output: 'table',
          } as const
          const end = await refusal('apply', permission, async (kubeconfig) =>
            apply({ ...options, kubeconfig }, recordingIo(desk.folder, { env: { HOME: lab.home } })),
          )
          expectNamed(end, text)
        })

        const inventoryOptions = {
          host: [],
          cluster: true,
          parallel: 2,
          timeout: 20_000,
          out: 'partial',
          output: 'table',
        } as const
        const io = () => recordingIo(desk.folder, { env: { HOME: lab.home } })

        test.each(cases('inventory'))('inventory cannot %s, and says so', async (text, permission) => {
          const fromDir = 'k3os-inventory/bundles'
          const end = await refusal('inventory', permission, async (kubeconfig) =>
            inventory({ ...inventoryOptions, fromDir, kubeconfig }, io()),
          )
          expectNamed(end, text)
        })

        test.each(cases('inventory --via-pod').slice(cases('inventory').length))(
          'inventory --via-pod cannot %s, and says so',
          async (text, permission) => {
            const pod = { host: ['b'], viaPod: true, image: 'none' }
            const end = await refusal('inventory --via-pod', permission, async (kubeconfig) =>
              inventory({ ...inventoryOptions, ...pod, kubeconfig }, io()),
            )
            expectNamed(end, text)
          },
        )

        test('nothing was changed by any of this', async () => {
          expect(await everythingIn(lab)).toEqual(before)
        })
      })

      describe('status and abandon', () => {
        let seen: CliResult
        beforeAll(async () => {
          await scale(lab.cluster, 'web', 1)
          await workload.untilBudgetAllows(lab.cluster, age, 'web', 0)
          const isDraining = ({ step, data }: JournalRecord): boolean =>
            step === 'drain' && String(data['action']).includes('evict')
          await killAt(desk, desk.apply('plan.json', ...as('apply')), isDraining, 1_500)
          seen = await desk.run('status', '--from-cluster', ...as('status'))
        })

        test('status works', () => {
          expect(seen).toMatchObject({ code: 0, stdout: expect.stringContaining('in-progress') })
        })

        test('status asks for all that is printed, and for nothing else', () => {
          expectExact('status')
        })

        test.each(cases('status'))('status cannot %s, and says so', async (text, permission) => {
          const end = await refusal('status', permission, async (kubeconfig) =>
            status({ fromCluster: true, kubeconfig, output: 'table' }, recordingIo(desk.folder)),
          )
          expectNamed(end, text)
        })

        test.each(cases('abandon'))('abandon cannot %s, and says so', async (text, permission) => {
          const run = desk.runDirectory() ?? ''
          const end = await refusal('abandon', permission, async (kubeconfig) =>
            abandon(
              { run, kubeconfig, output: 'table' },
              recordingIo(desk.folder, { env: { HOME: lab.home } }),
            ),
          )
          expectNamed(end, text)
        })

        describe('abandon', () => {
          let result: CliResult
          beforeAll(async () => {
            result = await desk.run('abandon', desk.runDirectory() ?? '', ...as('abandon'))
            await scale(lab.cluster, 'web', 2)
            await workload.untilBudgetAllows(lab.cluster, age, 'web', 1)
          })
          test('works', () => {
            expect(result).toMatchObject({ code: 0 })
          })
          test('asks for all that is printed, and for nothing else', () => {
            expectExact('abandon')
          })
        })
      })

      describe('apply and resume', () => {
        const results: CliResult[] = []
        beforeAll(async () => {
          results.push(await desk.apply('plan.json', '--next', ...as('apply')).result)
          results.push(await desk.resume('plan.json', ...as('resume')).result)
        })
        test('work', () => {
          expect(results.map(({ code, stderr }) => (code === 0 ? 0 : stderr))).toEqual([0, 0])
        })
        test.each(['apply', 'resume'] as const)(
          '%s asks for all that is printed, and for nothing else',
          (command) => {
            expectExact(command)
          },
        )
      })

      describe('finalize', () => {
        const results: CliResult[] = []
        let listed: string[]
        const has = async (path: string) => (await lab.cluster.request('GET', path)).status === 200
        const k3osPlan = '/apis/upgrade.cattle.io/v1/namespaces/k3os-system/plans/k3os-latest'
        const otherPlan = '/apis/upgrade.cattle.io/v1/namespaces/k3os-system/plans/k3s-server'
        const secret = '/api/v1/namespaces/kube-system/secrets/gone.node-password.k3s'
        const otherSecret = '/api/v1/namespaces/kube-system/secrets/b.node-password.k3s'
        const lease = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/k3os-migrate'

        beforeAll(async () => {
          const plan = (name: string, image: string) => ({
            apiVersion: 'upgrade.cattle.io/v1',
            kind: 'Plan',
            metadata: { name, namespace: 'k3os-system' },
            spec: {
              nodeSelector: { matchExpressions: [{ key: 'k3os.io/mode', operator: 'Exists' }] },
              upgrade: { image },
            },
          })
          const secretOf = (node: string) => ({
            apiVersion: 'v1',
            kind: 'Secret',
            metadata: { name: `${node}.node-password.k3s`, namespace: 'kube-system' },
            stringData: { hash: canary },
          })

          await workload.apply(
            lab.cluster,
            workload.namespace('k3os-system'),
            plan('k3os-latest', 'rancher/k3os'),
            plan('k3s-server', 'rancher/k3s-upgrade'),
            secretOf('gone'),
            secretOf('b'),
          )
          await lab.cluster.kubectl(['label', 'node', 'b', 'k3os.io/upgrade=latest'])
          results.push(await desk.run('finalize', ...desk.stateDir, ...as('finalize')))
          listed = readFinalizePlan().items.map(leftoverText)
        })

        const readFinalizePlan = () =>
          JSON.parse(readFileSync(join(desk.folder, 'finalize.json'), 'utf8')) as FinalizePlan

        test('lists exactly what was left', () => {
          expect(listed).toEqual([
            'Plan k3os-system/k3os-latest',
            'label k3os.io/upgrade of node b',
            'Secret kube-system/gone.node-password.k3s',
            'Lease kube-system/k3os-migrate',
          ])
        })

        test.each(cases('finalize'))('cannot %s, and says so', async (text, permission) => {
          const options = { stateDir: desk.stateDir[1] ?? '', out: 'less.json', output: 'table' } as const
          const end = await refusal('finalize', permission, async (kubeconfig) =>
            finalize({ ...options, kubeconfig }, recordingIo(desk.folder)),
          )
          expectNamed(end, text)
        })

        test.each(cases('finalize apply'))('apply cannot %s, and says so', async (text, permission) => {
          const approvePlan = readFinalizePlan().digest
          const options = { plan: 'finalize.json', stateDir: desk.stateDir[1] ?? '', approvePlan } as const
          const end = await refusal('finalize apply', permission, async (kubeconfig) =>
            finalizeApply({ ...options, output: 'table', kubeconfig }, recordingIo(desk.folder)),
          )
          expectNamed(end, text)
          expect(await has(k3osPlan)).toBe(true)
        })

        describe('apply', () => {
          beforeAll(async () => {
            const account = [...desk.stateDir, ...as('finalize apply')]
            results.push(await desk.run('finalize', 'apply', '--dry-run', ...account))
            const approval = ['--approve-plan', readFinalizePlan().digest]
            results.push(await desk.run('finalize', 'apply', ...approval, ...account))
          })

          test('works', () => {
            expect(results.map(({ code, stderr }) => (code === 0 ? 0 : stderr))).toEqual([0, 0, 0])
          })

          test('removes all that was listed', async () => {
            const gone = [k3osPlan, secret, lease]
            expect(await Promise.all(gone.map(has))).toEqual(gone.map(() => false))
            const { stdout } = await lab.cluster.kubectl(['get', 'nodes', '-o', 'json'])
            expect(stdout).not.toMatch(/"k3os(\.io|-migrate)\//)
          })

          test('leaves Plans and Secrets of others', async () => {
            expect(await Promise.all([otherPlan, otherSecret].map(has))).toEqual([true, true])
          })

          test('does not tell what a Secret holds', () => {
            expect(desk.said.join('')).not.toContain(canary)
          })

          test.each(['finalize', 'finalize apply'] as const)(
            '%s asks for all that is printed, and for nothing else',
            (command) => {
              // The Lease of the run is there, so that none has to be made.
              const hidden =
                command === 'finalize' ? [] : ['create leases.coordination.k8s.io in namespace kube-system']
              expectExact(command, hidden)
            },
          )
        })
      })
    },
  )

/** As the tool names the person who runs it. */
function owner(): string {
  const [user = '', host = ''] = execFileSync('sh', ['-c', 'id -un; uname -n'], { encoding: 'utf8' }).split(
    '\n',
  )
  return `${user}@${host}`
}
