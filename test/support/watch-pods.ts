import { setTimeout as sleep } from 'node:timers/promises'
import type { ControlPlane } from './control-plane.ts'
import { pods } from './kube-workload.ts'

/** What was seen of the pods of namespace `shop`, DaemonSets apart, by looking several times a second. */
export interface PodWatch {
  /** Pods that were started since the beginning. */
  started(): number
  /** The least number of Ready pods of an application at any look. */
  leastReady(app: string): number
  stop(): Promise<void>
}

export function watchPods(cluster: ControlPlane): PodWatch {
  const over = new AbortController()
  const atFirst = new Set<string>()
  const since = new Set<string>()
  const least = new Map<string, number>()
  let looks = 0

  async function look(): Promise<void> {
    const found = (await pods(cluster)).filter(({ metadata }) => !metadata.name.startsWith('logs-'))
    for (const { metadata } of found) {
      if (looks === 0) atFirst.add(metadata.uid)
      else if (!atFirst.has(metadata.uid)) since.add(metadata.uid)
    }
    const apps = new Set(found.map(({ metadata }) => appOf(metadata.name)))
    for (const app of apps) {
      const ready = found.filter(
        ({ metadata, status }) =>
          appOf(metadata.name) === app &&
          metadata.deletionTimestamp === undefined &&
          status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true,
      ).length
      least.set(app, Math.min(least.get(app) ?? ready, ready))
    }
    looks += 1
  }

  const watching = (async () => {
    while (!over.signal.aborted) {
      await look()
      await sleep(200)
    }
  })()
  return {
    started: () => since.size,
    leastReady(app) {
      const count = least.get(app)
      if (count === undefined) throw new Error(`no pod of ${app} was ever seen`)
      return count
    },
    async stop() {
      over.abort()
      await watching
    },
  }
}

function appOf(pod: string): string {
  return pod.split('-')[0] ?? pod
}
