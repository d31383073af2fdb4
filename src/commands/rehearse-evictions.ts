import type { HeldEviction } from '../core/rehearsal.ts'
import type { Kube } from '../migrate/ports.ts'
import type { RunEvent } from '../migrate/runner.ts'
import type { World } from '../simulation/world.ts'

export interface RecordedEvictions {
  readonly kube: Kube
  /** For the events of the run: pods that wait for their turn are not asked for. */
  readonly hear: (event: RunEvent) => void
  accepted(): number
  held(): HeldEviction[]
}

/** Listens to the answers to evictions: which were not accepted at once, why, and when they were. */
export function recordEvictions(kube: Kube, world: World): RecordedEvictions {
  const held = new Map<string, HeldEviction>()
  const accepted = new Set<string>()
  return {
    accepted: () => accepted.size,
    held: () => [...held.values()],
    hear(event) {
      if (event.type !== 'drain.pod' || event.state !== 'waiting' || held.has(event.uid)) return
      const { node, pod, uid, pdb, message } = event
      const atMs = world.clock.monotonicMs()
      held.set(uid, { node, pod, budget: pdb, atMs, acceptedMs: null, why: message })
    },
    kube: {
      ...kube,
      async evict(target, signal, how) {
        const { uid, namespace, name } = target
        const node = world.pods.find((pod) => pod.uid === uid)?.node ?? ''
        const answer = await kube.evict(target, signal, how)
        const atMs = world.clock.monotonicMs()
        const before = held.get(uid)
        if (answer.status === 'accepted' || answer.status === 'gone') {
          if (answer.status === 'accepted') accepted.add(uid)
          if (before?.acceptedMs === null) held.set(uid, { ...before, acceptedMs: atMs })
        } else if (before === undefined) {
          const budget =
            answer.status === 'blocked' && answer.budget !== null ? `${namespace}/${answer.budget}` : null
          held.set(uid, {
            node,
            pod: `${namespace}/${name}`,
            budget,
            atMs,
            acceptedMs: null,
            why: answer.message,
          })
        }
        return answer
      },
    },
  }
}
