import { createHash } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ControlPlane } from './control-plane.ts'
import { untilReady } from './kube-workload.ts'
import { until } from './lab-processes.ts'
import type { Desk } from './spine-cli.ts'
import type { JournalRecord } from '../../src/core/journal.ts'
import type { SpineLab } from './spine-lab.ts'
import { canaries } from './spine-scenario.ts'

/** A Node as the administrator sees it, reduced to what a move must change and must not change. */
export interface NodeState {
  readonly uid: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly taints: readonly { readonly key: string; readonly value?: string; readonly effect: string }[]
  readonly unschedulable: boolean
  readonly ready: boolean
  readonly osImage: string
  readonly bootId: string
}

interface RawNode {
  readonly metadata: {
    readonly uid: string
    readonly labels?: Record<string, string>
    readonly annotations?: Record<string, string>
  }
  readonly spec: { readonly taints?: NodeState['taints']; readonly unschedulable?: boolean }
  readonly status: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
    readonly nodeInfo: { readonly osImage: string; readonly bootID: string }
  }
}

export async function nodeState(cluster: ControlPlane, name: string): Promise<NodeState> {
  const { status, body } = await cluster.request<RawNode>('GET', `/api/v1/nodes/${name}`)
  if (status !== 200) throw new Error(`get node ${name}: ${status}`)
  return {
    uid: body.metadata.uid,
    labels: body.metadata.labels ?? {},
    annotations: body.metadata.annotations ?? {},
    taints: body.spec.taints ?? [],
    unschedulable: body.spec.unschedulable ?? false,
    ready:
      body.status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ??
      false,
    osImage: body.status.nodeInfo.osImage,
    bootId: body.status.nodeInfo.bootID,
  }
}

/** Changes with whatever changes in the cluster or on a machine, heartbeats and the traces of a login apart. */
export async function everythingIn(lab: SpineLab): Promise<Record<string, string>> {
  const seen: Record<string, string> = {}
  for (const kind of ['nodes', 'pods', 'poddisruptionbudgets', 'persistentvolumes']) {
    const { stdout } = await lab.cluster.kubectl(['get', kind, '-A', '-o', 'json'])
    const { items } = JSON.parse(stdout) as { items: { metadata: { name: string } }[] }
    for (const item of items) {
      const text = JSON.stringify(item, (key, value: unknown) =>
        ['resourceVersion', 'managedFields', 'lastHeartbeatTime'].includes(key) ? undefined : value,
      )
      seen[`${kind} ${item.metadata.name}`] = digest(text)
    }
  }
  for (const { name } of lab.scenario.nodes) {
    const { root } = lab.machine(name)
    const skipped = ['-path', './dev', '-o', '-path', './run', '-o', '-path', './tmp']
    const found = ['(', ...skipped, ')', '-prune', '-o', '-printf', '%p %y %s %m %u %g %T@\n']
    seen[`machine ${name}`] = digest(execFileSync('find', ['.', ...found], { cwd: root, encoding: 'utf8' }))
  }
  return seen
}

export async function scale(cluster: ControlPlane, app: string, replicas: number): Promise<void> {
  await cluster.kubectl(['scale', 'deployment', '-n', 'shop', app, '--replicas', String(replicas)])
  await untilReady(cluster, app, replicas)
}

/** Waits for a record of the newest run of this desk, without disturbing it. */
export async function recordOf(desk: Desk, isIt: (record: JournalRecord) => boolean): Promise<JournalRecord> {
  let found: JournalRecord | undefined
  await until('the journal has the record', AbortSignal.timeout(120_000), async () => {
    found = desk.journal().find(isIt)
    return found !== undefined
  })
  if (found === undefined) throw new Error('no record')
  await sleep(0)
  return found
}

/** Every file below a directory, relative to it. */
export function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(directory, name)).isFile())
    .map((name) => relative('.', name))
    .toSorted()
}

/** Names of the secrets of a lab that occur in a text. */
export function secretsIn(text: string, lab: SpineLab, hostKeys: ReadonlyMap<string, string>): string[] {
  const known: [string, string][] = [
    ['token', canaries.token],
    ['wifi passphrase', canaries.wifiPassphrase],
    ['registry password', canaries.registryPassword],
    ...lab.scenario.nodes.map(({ name, nodePassword }): [string, string] => [
      `password of ${name}`,
      nodePassword,
    ]),
    ...[...hostKeys].map(([name, key]): [string, string] => [`host key of ${name}`, key]),
  ]
  return known.filter(([, secret]) => text.includes(secret)).map(([name]) => name)
}

/** A line of each machine's private host key: no two keys share it. */
export function hostKeyLines(lab: SpineLab): Map<string, string> {
  return new Map(
    lab.scenario.nodes.map(({ name }) => {
      const file = join(lab.machine(name).root, 'var/lib/rancher/k3os/ssh/ssh_host_ed25519_key')
      // The first lines of such a file say what it is, the same in each.
      const line = readFileSync(file, 'utf8').split('\n').at(-4)
      if (line === undefined || line.length < 40) throw new Error(`${file} is not a key file`)
      return [name, line]
    }),
  )
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
