import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { apply, type ApplyOptions } from '../../../src/commands/apply.ts'
import { planApprove, planSign } from '../../../src/commands/plan-signature.ts'
import { exitCode } from '../../../src/core/errors.ts'
import type { Plan } from '../../../src/core/plan.ts'
import { simulatedKube } from '../../../src/simulation/kube.ts'
import { simulatedHook, simulatedHost } from '../../../src/simulation/machines.ts'
import type { World } from '../../../src/simulation/world.ts'
import { examplePlan } from '../../support/example-cluster.ts'
import { recordingIo } from '../../support/recording-io.ts'
import { requirePart } from '../../support/require-part.ts'
import { sshKeygenMissing } from '../../support/ssh-keygen.ts'

/** What `apply` does when a signature, made with real keys, is not one of those that count. */
describe.skipIf(requirePart('SSHKEYGEN', sshKeygenMissing()))('apply refuses', () => {
  let folder: string
  let world: World
  let plan: Plan
  let before: string
  const at = (name: string): string => join(folder, name)

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'signature-refusals-'))
    world = await examplePlan(folder)
    plan = JSON.parse(readFileSync(at('plan.json'), 'utf8')) as Plan
    before = clusterNow()
    for (const name of ['kim', 'mallory'])
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', at(name)])
    const [type, key] = readFileSync(at('kim.pub'), 'utf8').split(' ')
    writeFileSync(at('allowed'), `kim@example.org namespaces="k3os-migrate" ${type} ${key}\n`)
  })
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  async function refused(options: Partial<ApplyOptions> = {}): Promise<unknown> {
    const kube = simulatedKube(world)
    const approval = options.approvals === undefined ? { approvePlan: plan.digest } : {}
    const signed = { allowedSigners: 'allowed', requireSignature: true }
    return apply(
      {
        plan: 'plan.json',
        stateDir: 'state',
        output: 'table',
        ...approval,
        ...signed,
        ...options,
      },
      recordingIo(folder),
      {
        kube,
        reader: kube,
        host: simulatedHost(world),
        hook: simulatedHook(world, async (path) => readFileSync(path, 'utf8')),
        clock: world.clock,
      },
    ).catch((error: unknown) => error)
  }

  const clusterNow = (): string =>
    JSON.stringify(
      [...world.nodes.values()].map(({ kube: { unschedulable, annotations, labels, taints } }) => [
        unschedulable,
        annotations,
        labels,
        taints,
      ]),
    )

  function expectUntouched(): void {
    expect(clusterNow()).toBe(before)
  }

  const sign = async (file: string, key: string) => planSign({ file, key }, recordingIo(folder))

  test('with 5 a plan that somebody else signed', async () => {
    await sign('plan.json', 'mallory')
    expect(await refused()).toMatchObject({ exitCode: exitCode.stalePlan, message: /does not hold/ })
    expect(existsSync(at('state'))).toBe(false)
    expectUntouched()
  })

  test('with 5 a plan under the signature of another one', async () => {
    // The same plan, written with other spaces, is another file.
    writeFileSync(at('other.json'), JSON.stringify(plan))
    await sign('other.json', 'kim')
    copyFileSync(at('other.json.sig'), at('plan.json.sig'))
    expect(await refused()).toMatchObject({ exitCode: exitCode.stalePlan, message: /does not hold/ })
    expect(existsSync(at('state'))).toBe(false)
    expectUntouched()
  })

  test('with 5 something that is no signature', async () => {
    writeFileSync(at('plan.json.sig'), 'signed by kim\n')
    expect(await refused()).toMatchObject({ exitCode: exitCode.stalePlan })
    expect(existsSync(at('state'))).toBe(false)
    expectUntouched()
  })

  test('with 5 a node whose approval was signed by somebody else, before it is touched', async () => {
    await sign('plan.json', 'kim')
    const [first] = plan.nodes
    const who = { file: 'plan.json', node: [first?.name ?? ''], by: 'kim@example.org', approvals: 'a.json' }
    await planApprove({ ...who, key: 'mallory' }, recordingIo(folder))
    const end = await refused({ approvals: 'a.json' })
    expect(end).toMatchObject({ exitCode: exitCode.stalePlan, message: /is not theirs/ })
    expectUntouched()
  })

  test('with 10 a node whose approval has no signature, before it is touched', async () => {
    await sign('plan.json', 'kim')
    const node = plan.nodes.map(({ name }) => name)
    await planApprove({ file: 'plan.json', node, by: 'kim', approvals: 'a.json' }, recordingIo(folder))
    const end = await refused({ approvals: 'a.json' })
    expect(end).toMatchObject({ exitCode: exitCode.approvalMissing })
    expectUntouched()
  })
})
