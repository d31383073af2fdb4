import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JournalRecord } from '../../../src/core/journal.ts'
import type { Outcome } from '../../../src/core/outcome.ts'
import { controlPlaneMissing } from '../../support/control-plane.ts'
import * as workload from '../../support/kube-workload.ts'
import { until } from '../../support/lab-processes.ts'
import { requirePart } from '../../support/require-part.ts'
import { startSpineLab, type SpineLab } from '../../support/spine-lab.ts'
import { newSystem } from '../../support/spine-machine.ts'
import { spineScenario } from '../../support/spine-scenario.ts'
import { everythingIn, hostKeyLines, nodeState, secretsIn } from '../../support/spine-state.ts'
import { missingForK3osRoot } from '../../support/sshd.ts'
import { readWorkflow, startJob, type JobResult, type RunningJob } from '../../support/workflow.ts'

const examples = fileURLToPath(new URL('../../../examples/github-actions/', import.meta.url))
const cli = fileURLToPath(new URL('../../../src/cli.ts', import.meta.url))

/** The command lines of the example workflows, as a runner runs them, on a real API server and real sshds. */
describe.skipIf(
  requirePart('KUBE', controlPlaneMissing('1.20')) || requirePart('SSHD', missingForK3osRoot()),
)('the workflows for GitHub Actions', () => {
  let lab: SpineLab
  let folder: string
  let environment: Record<string, string>
  let known: Record<string, string>
  const assess = readWorkflow(join(examples, 'assess.yml'))
  const move = readWorkflow(join(examples, 'move.yml'))

  beforeAll(async () => {
    lab = await startSpineLab('1.20', spineScenario(['a', 'b']))
    await workload.apply(lab.cluster, workload.deployment('web', 2, 1))
    await workload.untilReady(lab.cluster, 'web', 2)
    folder = join(lab.home, 'runner')
    const bin = join(lab.home, 'bin')
    for (const directory of [folder, bin]) mkdirSync(directory)
    const script = (file: string, line: string): void =>
      writeFileSync(file, `#!/bin/sh\n${line}\n`, { mode: 0o755 })
    script(join(bin, 'k3os-migrate'), `exec '${process.execPath}' '${cli}' "$@"`)
    script(join(folder, 'rebuild.sh'), `exec ${lab.hook.map((word) => `'${word}'`).join(' ')}`)
    writeFileSync(join(folder, 'hosts.txt'), `${lab.hosts.join('\n')}\n`)
    for (const name of ['reader', 'mover', 'finalize'])
      copyFileSync(lab.cluster.kubeconfig, join(folder, `${name}.kubeconfig`))
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'evidence-key')])
    const key = readFileSync(join(folder, 'evidence-key.pub'), 'utf8')
    writeFileSync(join(folder, 'allowed'), `ops@example.org namespaces="k3os-migrate" ${key}`)
    environment = {
      PATH: `${bin}:${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
      HOME: lab.home,
      TMPDIR: lab.home,
    }
    known = {
      'vars.K3OS_MIGRATE_DIR': folder,
      'github.run_id': '4711',
      'github.server_url': 'https://github.example',
      'github.repository': 'shops/cluster',
      'inputs.target': 'debian',
      'inputs.soak': '1s',
      'inputs.canary-soak': '1s',
    }
  })
  afterAll(async () => {
    await lab?.stop()
  })

  const runs = () => join(folder, 'state/4711/runs')
  const said: string[] = []
  async function ended({ result }: RunningJob): Promise<JobResult> {
    const job = await result
    said.push(job.output, job.summary)
    return job
  }
  const moveNode = (node: string): RunningJob =>
    startJob(move, 'move', { ...known, 'matrix.node': node }, environment)
  const outcome = async (): Promise<Outcome> => {
    const stdout = execFileSync('k3os-migrate', ['status', '-o', 'json'], {
      env: { ...environment, K3OS_MIGRATE_STATE_DIR: join(folder, 'state/4711') },
      encoding: 'utf8',
    })
    return JSON.parse(stdout) as Outcome
  }
  const states = async () => (await outcome()).nodes.map(({ name, state }) => [name, state])
  function journal(): JournalRecord[] {
    const [id] = existsSync(runs()) ? readdirSync(runs()) : []
    const file = join(runs(), id ?? '', 'journal.jsonl')
    if (id === undefined || !existsSync(file)) return []
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
    return lines.map((line) => JSON.parse(line) as JournalRecord)
  }

  describe('assess.yml', () => {
    let result: JobResult
    beforeAll(async () => {
      result = await ended(startJob(assess, 'assess', known, environment))
    })

    test('ends red because of an inhibitor', () => {
      expect(result).toMatchObject({ code: 3, output: expect.stringContaining('::error') })
    })

    test('has findings to upload', () => {
      const sarif = JSON.parse(readFileSync(join(folder, 'k3os.sarif'), 'utf8')) as {
        version: string
        runs: [{ results: unknown[] }]
      }
      expect([sarif.version, sarif.runs[0].results.length > 0]).toEqual(['2.1.0', true])
    })

    test('has a page and a headline', () => {
      expect(readFileSync(join(folder, 'k3os.html'), 'utf8')).toMatch(/^<!doctype html>/i)
      expect(result.summary).toContain('stop')
    })
  })

  describe('the job "plan"', () => {
    let result: JobResult
    beforeAll(async () => {
      result = await ended(startJob(move, 'plan', known, environment))
      known['needs.plan.outputs.digest'] = result.outputs.get('plan.digest') ?? ''
    })

    test('works', () => {
      expect(result).toMatchObject({ code: 0 })
    })

    test('hands on the digest and the nodes in their order', () => {
      const plan = JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8')) as { digest: string }
      expect([result.outputs.get('plan.digest'), result.outputs.get('plan.nodes')]).toEqual([
        plan.digest,
        '["b","a","s"]',
      ])
    })

    test('shows the plan, and has a rehearsal to look at', () => {
      expect(result.summary).toContain('WHY HERE')
      expect(existsSync(join(folder, 'rehearsal.html'))).toBe(true)
    })
  })

  describe('a job that must not move anything', () => {
    let before: Record<string, string>
    beforeAll(async () => {
      before = await everythingIn(lab)
    })

    test('ends at once when the plan is not the approved one', async () => {
      const other = { ...known, 'matrix.node': 'b', 'needs.plan.outputs.digest': 'sha256:0' }
      const { code } = await ended(startJob(move, 'move', other, environment))
      expect([code, existsSync(runs())]).toEqual([5, false])
    })

    test('ends with 10 when it is the turn of another node', async () => {
      const other = { ...known, 'matrix.node': 's', 'github.run_id': '4712' }
      const { code } = await ended(startJob(move, 'move', other, environment))
      expect(code).toBe(10)
    })

    test('has moved nothing', async () => {
      expect([lab.hookCalls, await everythingIn(lab)]).toEqual([[], before])
    })
  })

  describe('a runner that is lost while the machine is down', () => {
    beforeAll(async () => {
      // The run of the job before is given up: it did not begin anything.
      const state = join(folder, 'state/4712')
      const [given = ''] = readdirSync(join(state, 'runs'))
      execFileSync('k3os-migrate', ['abandon', given, '--state-dir', state], {
        env: { ...environment, KUBECONFIG: lab.cluster.kubeconfig },
        stdio: 'ignore',
      })
      const job = moveNode('b')
      await until('the machine is down', AbortSignal.timeout(120_000), async () =>
        journal().some(
          ({ step, data }) => step === 'reimage' && String(data['action']).includes('wait until'),
        ),
      )
      job.lose()
      await ended(job)
    })

    test('leaves the node in the middle', async () => {
      expect((await states())[0]).toEqual(['b', 'in-progress'])
    })

    test('is followed by another one that goes on, and rebuilds nothing twice', async () => {
      const { code, output } = await ended(moveNode('b'))
      expect(code === 0 ? 0 : output).toBe(0)
      expect(await states()).toEqual([
        ['b', 'done'],
        ['a', 'pending'],
        ['s', 'pending'],
      ])
      expect(lab.hookCalls).toEqual([{ node: 'b', attempt: 1, machine: 'k3os' }])
    })

    test('does not move the next node when it is run once more', async () => {
      const { code, output } = await ended(moveNode('b'))
      expect([code, output]).toEqual([0, expect.stringContaining('b is done already')])
      expect(lab.hookCalls).toHaveLength(1)
    })
  })

  describe('the jobs of the other nodes', () => {
    test.each(['a', 's'])('move %s', async (node) => {
      const { code, output } = await ended(moveNode(node))
      expect(code === 0 ? 0 : output).toBe(0)
      expect(await nodeState(lab.cluster, node)).toMatchObject({ osImage: newSystem, ready: true })
    })

    test('journal each approval with the page of its workflow run', () => {
      const approvals = journal().flatMap(({ node, data }) =>
        data['approval'] === undefined ? [] : [[node, (data['approval'] as { by: string }).by]],
      )
      const page = 'https://github.example/shops/cluster/actions/runs/4711'
      expect(new Map(approvals as [string, string][])).toEqual(
        new Map(['b', 'a', 's'].map((node) => [node, page])),
      )
    })
  })

  describe('the job "prove"', () => {
    let result: JobResult
    beforeAll(async () => {
      result = await ended(startJob(move, 'prove', known, environment))
    })

    test('has a report, signed evidence that holds, and a plan of what is left', () => {
      expect(result).toMatchObject({ code: 0, output: expect.stringContaining('The evidence holds') })
      expect(existsSync(join(folder, 'report.html'))).toBe(true)
    })
  })

  test('nothing that is uploaded or printed holds a secret', () => {
    const uploads = ['k3os.sarif', 'k3os.html', 'plan.json', 'rehearsal.html', 'report.html', 'evidence.tar']
    const texts = [...said, ...uploads.map((file) => readFileSync(join(folder, file), 'utf8'))]
    expect(texts.flatMap((text) => secretsIn(text, lab, hostKeyLines(lab)))).toEqual([])
  })
})
