import { readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { apply, realPorts, resume, revert, type MovePorts } from '../../src/commands/apply.ts'
import { plan, type PlanOptions } from '../../src/commands/plan.ts'
import { MigrateError } from '../../src/core/errors.ts'
import type { JournalRecord } from '../../src/core/journal.ts'
import { planSchema, type Plan } from '../../src/core/plan.ts'
import { localVolumePath, type Scenario } from '../../src/simulation/scenario.ts'
import type { ApiRequest } from './api-request.ts'
import { recordingIo } from './recording-io.ts'
import type { VmLab } from './vm.ts'

/** What a person has after `plan`: the folder, the plan in it, and how it is typed on. */
export interface PlannedMove {
  readonly cwd: string
  readonly plan: Plan
  readonly kubeconfig: string
  /**
   * `apply`, or `resume` of the run that there is, or `revert` of its first node. `around` stands before and after each command
   * of a move in place.
   */
  go(command: 'apply' | 'resume' | 'revert', around?: AroundCommand): Promise<MoveEnd>
  journal(): Promise<JournalRecord[]>
}

/** Sees each command that changes something on the machine, as `restart`; what it throws ends the process. */
export type AroundCommand = (command: string, send: () => Promise<unknown>) => Promise<unknown>

/** In place of a process that dies. */
export class Killed extends Error {}

export interface MoveEnd {
  readonly exit: number
  /** Empty when it ended well. */
  readonly message: string
}

/** From an inventory in `cwd/inv` to a plan of moves in place. */
export async function planInPlace(
  lab: VmLab,
  cwd: string,
  tree: string,
  kubeconfig: string,
  changes: Partial<PlanOptions> = {},
): Promise<PlannedMove> {
  const env = { HOME: lab.home, USER: 'lab' }
  await plan(
    {
      inventory: 'inv/inventory.yaml',
      target: 'debian',
      inPlace: true,
      rootTree: tree,
      user: 'rancher',
      maxAge: 24,
      soak: false,
      out: 'plan.json',
      output: 'table',
      ...changes,
    },
    recordingIo(cwd, { env }),
  )
  const made = planSchema.parse(JSON.parse(readFileSync(join(cwd, 'plan.json'), 'utf8')))
  const stateDir = join(cwd, 'state')
  return {
    cwd,
    plan: made,
    kubeconfig,
    async go(command, around = async (_, send) => send()) {
      const io = recordingIo(cwd, { env, err: told })
      const options = { kubeconfig, approvePlan: made.digest, stateDir, output: 'table' as const }
      const ports = await realPorts(options, io)
      const { host } = ports
      const given: MovePorts = {
        ...ports,
        host: {
          ...host,
          actInPlace: async (address, words, ...rest) =>
            String(await around(words[0] ?? '', async () => host.actInPlace(address, words, ...rest))),
        },
      }
      try {
        const exit =
          command === 'apply'
            ? await apply({ ...options, plan: 'plan.json' }, io, given)
            : command === 'resume'
              ? await resume(options, io, given)
              : await revert({ ...options, node: made.nodes[0]?.name ?? '' }, io, given)
        return { exit, message: '' }
      } catch (error) {
        if (!(error instanceof MigrateError)) throw error
        return { exit: error.exitCode, message: error.message }
      }
    },
    async journal() {
      const [run] = await readdir(join(stateDir, 'runs'))
      const text = await readFile(join(stateDir, 'runs', String(run), 'journal.jsonl'), 'utf8')
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as JournalRecord)
    },
  }
}

/** A move says much: on the terminal only when asked. */
function told(text: string): void {
  if (process.env['K3OS_MIGRATE_TELL'] === '1') process.stderr.write(text)
}

/** Seconds that each step took, the last time it was done. */
export function stepSeconds(records: readonly JournalRecord[]): Record<string, number> {
  const seconds: Record<string, number> = {}
  for (const { step, phase, monotonicMs, data } of records) {
    if (phase !== 'result' || data['outcome'] !== 'done') continue
    const begun = records.findLast((one) => one.step === step && one.phase === 'intent')
    if (begun !== undefined) seconds[step] = Math.round((monotonicMs - begun.monotonicMs) / 1000)
  }
  return seconds
}

/** The volumes of the scenario as PersistentVolumes, each claimed by one Deployment's pod. */
export async function makeWorkloads(request: ApiRequest, { localVolumes }: Scenario): Promise<void> {
  for (const volume of localVolumes) {
    const { namespace, claim, name, node } = volume
    const make = async (path: string, body: object): Promise<void> => {
      const { status } = await request('POST', path, body)
      if (status !== 201 && status !== 409) throw new Error(`${path}: ${status}`)
    }
    await make('/api/v1/namespaces', { metadata: { name: namespace } })
    await make('/api/v1/persistentvolumes', {
      metadata: { name },
      spec: {
        capacity: { storage: '1Mi' },
        accessModes: ['ReadWriteOnce'],
        persistentVolumeReclaimPolicy: 'Delete',
        storageClassName: 'local-path',
        claimRef: { namespace, name: claim },
        hostPath: { path: localVolumePath(volume), type: 'DirectoryOrCreate' },
        nodeAffinity: {
          required: {
            nodeSelectorTerms: [
              { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] },
            ],
          },
        },
      },
    })
    await make(`/api/v1/namespaces/${namespace}/persistentvolumeclaims`, {
      metadata: { name: claim },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'local-path',
        volumeName: name,
        resources: { requests: { storage: '1Mi' } },
      },
    })
    const labels = { app: claim }
    await make(`/apis/apps/v1/namespaces/${namespace}/deployments`, {
      metadata: { name: claim },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            terminationGracePeriodSeconds: 1,
            containers: [
              { name: 'main', image: 'shop/main:1', volumeMounts: [{ name: 'data', mountPath: '/data' }] },
            ],
            volumes: [{ name: 'data', persistentVolumeClaim: { claimName: claim } }],
          },
        },
      },
    })
  }
}
