import type { HeldEviction } from '../core/rehearsal.ts'
import type { Kube } from '../migrate/ports.ts'
import type { World } from '../simulation/world.ts'

export interface RecordedEvictions {
  readonly kube: Kube
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
