import { createHash } from 'node:crypto'
import { chain, type JournalRecord } from '../../../../src/core/journal.ts'
import { planDigest } from '../../../../src/core/make-plan.ts'
import type { Outcome } from '../../../../src/core/outcome.ts'
import { methods } from '../../../../src/core/methods.ts'
import { stepDefaults, type Plan, type StepId } from '../../../../src/core/plan.ts'
import type { RunDocuments } from '../../../../src/output/report/run-report.ts'
import { cluster, inventory, kubeNode, localPv, look, machine, pod } from '../../core/assess/builders.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Writes journal records as the runner does, on a clock of its own. */
export class JournalScript {
  readonly records: JournalRecord[] = []
  #now = Date.parse('2026-11-24T08:00:00.000Z')

  after(ms: number): this {
    this.#now += ms
    return this
  }

  note(node: string | null, step: string, attempt: number, data: Record<string, unknown>): this {
    return this.#write(node, step, attempt, 'note', data)
  }

  intent(node: string, step: string, attempt = 1, data: Record<string, unknown> = {}): this {
    return this.#write(node, step, attempt, 'intent', data)
  }

  result(node: string, step: string, attempt: number, data: Record<string, unknown>): this {
    return this.#write(node, step, attempt, 'result', data)
  }

  /** A step that was done in this time, with these sentences. */
  step(
    node: string,
    step: StepId,
    ms: number,
    actions: readonly string[] = [],
    attempt = 1,
    data = {},
  ): this {
    this.intent(node, step, attempt, data)
    for (const action of actions) this.note(node, step, attempt, { action })
    return this.after(ms).result(node, step, attempt, { outcome: 'done' })
  }

  #write(
    node: string | null,
    step: string,
    attempt: number,
    phase: JournalRecord['phase'],
    data: Record<string, unknown>,
  ): this {
    const ts = new Date(this.#now).toISOString()
    const entry = { ts, monotonicMs: this.#now - Date.parse('2026-11-24T08:00:00Z'), runId: 'run-1' }
    this.records.push(chain(this.records.at(-1), { ...entry, node, step, phase, attempt, data }, sha256))
    return this
  }
}

const volumePath = '/var/lib/rancher/k3s/storage/pvc-1'

export function plan(changes: Partial<Plan> = {}): Plan {
  const node = (name: string, role: 'server' | 'agent', why: string, keptData: string[]) => ({
    name,
    role,
    address: { host: `${name}.example`, port: 22, user: 'rancher' },
    why,
    canary: name === 'a2',
    fingerprint: {
      nodeUid: `uid-of-${name}`,
      systemUuid: `uuid-of-${name}`,
      diskSerial: `disk-of-${name}`,
      config: {},
      baseline: {},
      volumes: {},
      bundleSha256: sha256(`bundle of ${name}`),
      translationSha256: sha256(`translation of ${name}`),
    },
    bundleFile: `bundles/${name}.bundle`,
    keptData,
    evictions: 3,
    soakMs: 0,
    steps: methods.command.steps.map((id) => ({ id, ...stepDefaults[id] })),
  })
  const body: Omit<Plan, 'digest'> = {
    apiVersion: 'k3os-migrate/v1',
    kind: 'Plan',
    metadata: { createdAt: '2026-11-24T07:30:00.000Z', toolVersion: '0.1.0' },
    cluster: { server: 'https://192.0.2.1:6443', uid: 'cluster-1', version: 'v1.21.5+k3s2' },
    inventory: { file: 'inventory.yaml', sha256: sha256('inventory') },
    target: 'debian',
    method: { kind: 'command', argv: ['./rebuild.sh'], keepsData: true, hasPointOfNoReturn: true },
    policy: {
      deleteEmptyDir: true,
      abandonPods: [],
      drainMode: 'strict',
      onDrainFailure: 'uncordon',
      maxAgeHours: 24,
      windows: [],
    },
    waivers: [],
    waiversSha256: null,
    gates: {},
    pauses: [],
    nodes: [
      node('a2', 'agent', 'cheapest agent: the canary', []),
      node('a1', 'agent', 'holds local data', [volumePath]),
      node('s1', 'server', 'single server: last', ['/var/lib/rancher/k3s/server']),
    ],
    ...changes,
  }
  return { ...body, digest: planDigest(body, sha256) }
}

const proofOf = (name: string): NonNullable<Outcome['nodes'][number]['proof']> => ({
  nonce: sha256(`nonce of ${name}`).slice(0, 32),
  systemUuid: `uuid-of-${name}`,
  bootIdBefore: `boot-of-${name}`,
  bootIdAfter: `new-boot-of-${name}`,
  osImageBefore: 'k3OS v0.21.5-k3s2r1',
  osImageAfter: 'Debian GNU/Linux 13 (trixie)',
  kubeletVersion: 'v1.21.5+k3s2',
})

/** a2 moves at the second try, a1 stops when its data differs, s1 has not been touched. */
export function stoppedRun(changes: Partial<RunDocuments> = {}): RunDocuments {
  const made = plan()
  const journal = new JournalScript()
    .note(null, 'run', 0, { event: 'start', planDigest: made.digest })
    .step('a2', 'check', 240)
    .step('a2', 'capture', 90)
    .step('a2', 'cordon', 310, ['cordon a2'])
    .intent('a2', 'drain')
    .note('a2', 'drain', 1, { action: 'drain a2: evict shop/web-1, shop/web-2, shop/queue-0' })
    .after(1_800_000)
    .result('a2', 'drain', 1, {
      outcome: 'failed',
      error: 'shop/web-2 could not be evicted in 30m: budget shop/web',
      exit: 9,
      undo: true,
    })
    .note('a2', 'cordon', 1, { action: 'undo: uncordon a2' })
    .after(400)
    .result('a2', 'cordon', 1, { outcome: 'undone' })
    .result('a2', 'node', 1, { outcome: 'rolled-back' })
    .note(null, 'run', 0, { event: 'end', exit: 9 })
    .after(3_600_000)
    .note(null, 'run', 0, { event: 'start', planDigest: made.digest })
  moved(journal, 'a2', 2)
  journal
    .after(900)
    .step('a1', 'check', 200)
    .step('a1', 'capture', 80)
    .step('a1', 'stage', 1200, ['write 4 files of the debian configuration of a1 to stage/a1/1 (0600)'])
    .step('a1', 'cordon', 300, ['cordon a1'])
    .step('a1', 'drain', 95_000, ['drain a1: evict shop/db-0'])
    .step('a1', 'fingerprint', 21_000, [], 1, { digests: { [volumePath]: sha256('data') } })
    .step('a1', 'reimage', 780_000, ['reimage a1: run ./rebuild.sh (nothing after this can be undone)'])
    .intent('a1', 'compare')
    .note('a1', 'compare', 1, { action: `compare ${volumePath} on a1 with the fingerprints taken before` })
    .after(19_000)
    .result('a1', 'compare', 1, {
      outcome: 'failed',
      error: `a1: data is not what it was before the move: ${volumePath}; k3s stays stopped`,
      exit: 11,
      undo: false,
    })
    .note(null, 'run', 0, { event: 'end', exit: 11 })
  const { records } = journal
  const times = (node: string) => {
    const own = records.filter((record) => record.node === node)
    return { startedAt: own[0]?.ts ?? null, endedAt: own.at(-1)?.ts ?? null }
  }
  const reason = `a1: data is not what it was before the move: ${volumePath}; k3s stays stopped`
  const outcome: Outcome = {
    apiVersion: 'k3os-migrate/v1',
    kind: 'Outcome',
    runId: '01a0b2c3-d4e5-7000-8000-000000000001',
    planDigest: made.digest,
    startedAt: records[0]?.ts ?? '',
    endedAt: records.at(-1)?.ts ?? '',
    exit: 11,
    status: 'needs-operator',
    nodes: [
      { name: 'a2', state: 'done', step: 'uncordon', reason: null, ...times('a2'), proof: proofOf('a2') },
      { name: 'a1', state: 'needs-operator', step: 'compare', reason, ...times('a1'), proof: null },
      { name: 's1', state: 'pending', step: null, reason: null, startedAt: null, endedAt: null, proof: null },
    ],
    reason,
    paused: [],
    next: 'k3os-migrate resume 01a0b2c3-d4e5-7000-8000-000000000001',
  }
  const found = inventory(
    cluster({
      nodes: ['s1', 'a1', 'a2'].map((name) => kubeNode(name, { systemUuid: `uuid-of-${name}` })),
      pods: [pod('debug', { controller: null })],
      persistentVolumes: [localPv('pvc-1')],
    }),
    ['s1', 'a1', 'a2'].map((name) =>
      machine(name, { systemUuid: `uuid-of-${name}`, boardModel: 'Shuttle DS77U' }),
    ),
  )
  return {
    outcome,
    journal: { records, torn: false, intactLength: 0 },
    plan: made,
    inventory: found,
    assessment: JSON.parse(
      JSON.stringify(
        look(found, {
          waivers: [
            {
              key: 'PRE-UNMANAGED:Pod/shop/debug',
              reason: 'a shell left open',
              approvedBy: 'kim',
              expires: null,
            },
          ],
        }),
      ),
    ),
    digests: [
      { file: 'outcome.json', sha256: sha256('outcome') },
      { file: 'inventory.yaml', sha256: sha256('inventory') },
    ],
    planDigest: made.digest,
    missing: [],
    ...changes,
  }
}

/** Every step of a node that moves. */
function moved(journal: JournalScript, name: string, attempt: number): void {
  const times: Readonly<Record<StepId, number>> = {
    check: 230,
    capture: 70,
    stage: 1100,
    place: 0,
    defuse: 1,
    steer: 120,
    cordon: 300,
    drain: 48_000,
    probe: 0,
    fingerprint: 60,
    reimage: 702_000,
    'hand-over': 0,
    trial: 0,
    return: 0,
    compare: 60,
    release: 900,
    join: 94_000,
    confirm: 0,
    restore: 280,
    uncordon: 190,
    workloads: 21_000,
    soak: 0,
  }
  const sentences: Partial<Record<StepId, string>> = {
    stage: `write 4 files of the debian configuration of ${name} to stage/${name}/${attempt} (0600)`,
    cordon: `cordon ${name}`,
    drain: `drain ${name}: evict shop/web-1, shop/web-2, shop/queue-0`,
    reimage: `reimage ${name}: run ./rebuild.sh (nothing after this can be undone)`,
    release: `write /etc/k3os-migrate/release on ${name}: k3s may start`,
    join: `wait until ${name} is Ready under its old name with a new boot ID and system`,
    restore: `restore on ${name}: 2 labels`,
    uncordon: `uncordon ${name}`,
  }
  for (const id of methods.command.steps) {
    const sentence = sentences[id]
    journal.step(name, id, times[id], sentence === undefined ? [] : [sentence], attempt)
  }
  journal.result(name, 'node', attempt, { outcome: 'done' })
}
