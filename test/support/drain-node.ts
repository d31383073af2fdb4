import { exitCode, MigrateError } from '../../src/core/errors.ts'
import type { Pod } from '../../src/core/inventory.ts'
import { drainNode, type DrainOutcome, type DrainRequest } from '../../src/migrate/drain.ts'
import type { DrainEvent } from '../../src/migrate/drain-events.ts'
import type { Eviction, Kube } from '../../src/migrate/ports.ts'
import { VirtualClock } from '../../src/simulation/virtual-clock.ts'

/**
 * A node with pods as a drain meets it: evicted pods end after `endsAfterMs` of virtual time, answers can be scripted, and
 * every request is on record with its moment.
 */
export class DrainedNode {
  readonly clock = new VirtualClock(new Date('2026-11-24T08:00:00Z'))
  readonly pods = new Map<string, Pod>()
  readonly evictions: { readonly uid: string; readonly atMs: number }[] = []
  /** Evictions asked for and not answered yet, now and at most. */
  underWay = 0
  mostUnderWay = 0
  readonly lists: number[] = []
  readonly events: DrainEvent[] = []
  /** Replaces the answer to an eviction; an error is thrown. */
  answer: (pod: Pod, nowMs: number) => Eviction | MigrateError | undefined = () => undefined
  /** Makes lists fail. */
  listError: (nowMs: number) => MigrateError | undefined = () => undefined
  daemonSetError: (nowMs: number) => MigrateError | undefined = () => undefined
  /** Names of the volumes that are attached to the node. */
  volumes: (nowMs: number) => string[] | MigrateError = () => []
  endsAfterMs = 2000

  constructor(pods: readonly Pod[]) {
    for (const pod of pods) this.pods.set(pod.uid, pod)
  }

  /** Changes the world at a moment. */
  at(ms: number, change: () => void): void {
    this.clock.at(ms, change)
  }

  async drain(changes: Partial<DrainRequest> = {}): Promise<DrainOutcome> {
    return drainNode({
      kube: this.kube(),
      clock: this.clock,
      node: 'n1',
      timeoutMs: 600_000,
      allow: { deleteEmptyDir: false, force: false },
      onEvent: (event) => this.events.push(event),
      signal: new AbortController().signal,
      ...changes,
    })
  }

  private kube(): Kube {
    const unused = () => {
      throw new Error('a drain has no business here')
    }
    return {
      where: 'test',
      node: unused,
      patchNode: unused,
      heartbeatAgeSeconds: unused,
      attachedVolumes: async () => {
        const answer = this.volumes(this.clock.monotonicMs())
        if (answer instanceof MigrateError) throw answer
        return answer
      },
      clusterUid: unused,
      controller: unused,
      restarts: unused,
      switchController: unused,
      podsOnNode: async () => {
        const nowMs = this.clock.monotonicMs()
        this.lists.push(nowMs)
        const error = this.listError(nowMs)
        if (error !== undefined) throw error
        return [...this.pods.values()]
      },
      daemonSetExists: async () => {
        const error = this.daemonSetError(this.clock.monotonicMs())
        if (error !== undefined) throw error
        return true
      },
      evict: async ({ uid }) => {
        this.underWay += 1
        this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay)
        await Promise.resolve()
        this.underWay -= 1
        return this.evict(uid)
      },
    }
  }

  private evict(uid: string): Eviction {
    const nowMs = this.clock.monotonicMs()
    this.evictions.push({ uid, atMs: nowMs })
    const pod = this.pods.get(uid)
    if (pod === undefined) return { status: 'gone' }
    const scripted = this.answer(pod, nowMs)
    if (scripted instanceof MigrateError) throw scripted
    if (scripted !== undefined) return scripted
    this.pods.set(uid, { ...pod, terminating: true })
    if (Number.isFinite(this.endsAfterMs)) this.at(nowMs + this.endsAfterMs, () => this.pods.delete(uid))
    return { status: 'accepted' }
  }
}

export function passing(message = 'connection refused'): MigrateError {
  return new MigrateError(message, { exitCode: exitCode.unexpected, transient: true })
}

export function forbidden(): MigrateError {
  return new MigrateError('no permission', { exitCode: exitCode.permission })
}

export function blockedBy(budget: string, retryAfterMs: number | null = null): Eviction {
  const message = `The disruption budget ${budget} needs 2 healthy pods and has 2 currently`
  return { status: 'blocked', budget, message, retryAfterMs }
}
