import { parseLabelSelector } from '../../src/core/label-selector.ts'
import { matchesSelector } from '../../src/core/selector.ts'

export interface PodShape {
  /**
   * `Kind`, `group/version Kind` or `group/version Kind name`; several owners are joined with a comma; before it, `?` leaves `controller` out and `!`
   * makes it false; the empty text is no owner.
   */
  readonly owner?: string
  readonly phase?: string
  readonly volumes?: readonly object[]
  readonly labels?: Readonly<Record<string, string>>
  readonly mirror?: boolean
  /** It has been asked to end this long ago, and does so when it has been read for the fifth time. */
  readonly endingForSeconds?: number
  readonly node?: string
}

export interface ScriptedPod extends PodShape {
  readonly name: string
  /** From the accepted eviction to the end; 0 unless said otherwise, Infinity for a pod that is stuck. */
  readonly endsAfterMs?: number
  /** A pod of the same name that is there as soon as this one has ended, or once its eviction was refused. */
  readonly successor?: { readonly node: string; readonly once: 'ended' | 'refused' }
  /** Its namespace controller deletes it this long after its eviction was first refused. */
  readonly deletedAfterRefusalMs?: number
}

interface StubPod {
  readonly uid: string
  readonly node: string
  readonly manifest: { metadata: { labels: Record<string, string>; deletionTimestamp?: string } }
  readonly script: ScriptedPod
}

/** All pods of the stub are in this namespace. */
const stubNamespace = 'shop'

const successorMark = '*'

export class StubPods {
  private readonly pods = new Map<string, StubPod>()
  private readonly timers = new Set<NodeJS.Timeout>()
  private readonly seen = new Map<string, number>()
  private readonly refusedOnce = new Set<string>()
  /** All pods that ever were, as `namespace/name`; successors carry a star. */
  readonly ever = new Set<string>()
  /** Those whose eviction or deletion was accepted. */
  readonly accepted = new Set<string>()

  constructor(scripts: readonly ScriptedPod[]) {
    for (const script of scripts) this.add(script)
  }

  add(script: ScriptedPod, uid = `uid-${script.name}`): void {
    const manifest = manifestOf(script, uid)
    const key = `${stubNamespace}/${script.name}`
    const pod = { uid, node: script.node ?? 'n1', manifest, script }
    this.pods.set(key, pod)
    this.ever.add(labelOf(key, pod))
  }

  /** One read of one pod. */
  read(key: string): StubPod | undefined {
    this.see(key)
    return this.pods.get(key)
  }

  get(key: string): StubPod | undefined {
    return this.pods.get(key)
  }

  on(node: string | undefined, labelSelector: string | null): object[] {
    for (const key of this.pods.keys()) this.see(key)
    const selector = parseLabelSelector(labelSelector ?? '')
    return [...this.pods.values()]
      .filter((pod) => node === undefined || pod.node === node)
      .filter(({ manifest }) => matchesSelector(manifest.metadata.labels, selector))
      .map(({ manifest }) => manifest)
  }

  /** Those that are there now. */
  present(): string[] {
    return Array.from(this.pods, ([key, pod]) => labelOf(key, pod))
  }

  /** An accepted eviction or deletion. */
  end(key: string): void {
    const pod = this.pods.get(key)
    if (pod !== undefined) this.accepted.add(labelOf(key, pod))
    this.delete(key)
  }

  /** Its eviction was refused. */
  refused(key: string): void {
    const pod = this.pods.get(key)
    if (pod === undefined || this.refusedOnce.has(key)) return
    this.refusedOnce.add(key)
    const { successor, deletedAfterRefusalMs } = pod.script
    if (successor?.once === 'refused') this.replace(pod, successor.node)
    if (deletedAfterRefusalMs !== undefined) this.after(deletedAfterRefusalMs, () => this.delete(key))
  }

  stop(): void {
    for (const timer of this.timers) clearTimeout(timer)
  }

  private see(key: string): void {
    const pod = this.pods.get(key)
    if (pod?.script.endingForSeconds === undefined) return
    const times = (this.seen.get(key) ?? 0) + 1
    this.seen.set(key, times)
    // Not by the clock: a slow machine must not let it go before somebody could look.
    if (times >= 5 && pod.script.endsAfterMs !== Infinity) this.remove(key, pod)
  }

  private delete(key: string): void {
    const pod = this.pods.get(key)
    if (pod === undefined) return
    pod.manifest.metadata.deletionTimestamp ??= timestamp(0)
    this.after(pod.script.endsAfterMs ?? 0, () => this.remove(key, pod))
  }

  private remove(key: string, pod: StubPod): void {
    if (this.pods.get(key) !== pod) return
    this.pods.delete(key)
    const { successor } = pod.script
    if (successor?.once === 'ended') this.replace(pod, successor.node)
  }

  private replace({ script, uid }: StubPod, node: string): void {
    const { successor: _, ...rest } = script
    this.add({ ...rest, node }, `${uid}${successorMark}`)
  }

  private after(ms: number, act: () => void): void {
    if (ms === 0) act()
    else if (Number.isFinite(ms)) this.timers.add(setTimeout(act, ms))
  }
}

function manifestOf(shape: ScriptedPod, uid: string): StubPod['manifest'] {
  const { name, owner = 'ReplicaSet', phase = 'Running', volumes = [], labels = {}, endingForSeconds } = shape
  const metadata = {
    name,
    namespace: stubNamespace,
    uid,
    labels: { ...labels },
    ...(shape.mirror === true ? { annotations: { 'kubernetes.io/config.mirror': 'x' } } : {}),
    ...(owner === '' ? {} : { ownerReferences: owner.split(',').map(ownerReference) }),
    ...(endingForSeconds === undefined ? {} : { deletionTimestamp: timestamp(endingForSeconds) }),
  }
  const spec = {
    nodeName: shape.node ?? 'n1',
    containers: [{ name: 'main', image: 'none' }],
    volumes: volumes.map((volume, index) => ({ name: `v${index}`, ...volume })),
  }
  const manifest = { apiVersion: 'v1', kind: 'Pod', metadata, spec, status: { phase } }
  return manifest
}

function labelOf(key: string, { uid }: StubPod): string {
  return uid.endsWith(successorMark) ? `${key}${successorMark}` : key
}

function ownerReference(text: string): object {
  const controller = text.startsWith('?') ? {} : { controller: !text.startsWith('!') }
  const words = text.replace(/^[?!]/, '').split(' ')
  const [apiVersion = '', kind = '', name = kind.toLowerCase()] =
    words.length === 1 ? ['apps/v1', ...words] : words
  return { apiVersion, kind, name, uid: `uid-${name}`, ...controller }
}

function timestamp(secondsAgo: number): string {
  return new Date(Date.now() - secondsAgo * 1000).toISOString().replace(/\.\d+/, '')
}
