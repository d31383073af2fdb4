import { anywhere } from '../../src/core/kube-pod.ts'
import type { KubeNode, Pod, PodDisruptionBudget } from '../../src/core/inventory.ts'

/** A pod of a ReplicaSet, running and ready on n1; say only what matters. */
export function aPod(changes: Partial<Pod> & Pick<Pod, 'name'>): Pod {
  return {
    namespace: 'shop',
    uid: `uid-${changes.name}`,
    node: 'n1',
    phase: 'Running',
    ready: true,
    terminating: false,
    labels: { app: 'web' },
    controller: { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-1' },
    mirror: false,
    priority: 0,
    graceSeconds: 30,
    requests: {},
    volumes: [],
    scheduling: anywhere,
    ...changes,
  }
}

export function aVolume(type: Pod['volumes'][number]['type'], name = type): Pod['volumes'][number] {
  return { name, type, path: null, claim: null, readOnly: false }
}

/** Guards `app: web` in `shop`; three pods expected and healthy, two needed, one may go. */
export function aBudget(changes: Partial<PodDisruptionBudget> = {}): PodDisruptionBudget {
  return {
    namespace: 'shop',
    name: 'web',
    apiVersion: 'policy/v1',
    selector: { matchLabels: { app: 'web' }, matchExpressions: [] },
    minAvailable: 2,
    maxUnavailable: null,
    disruptionsAllowed: 1,
    currentHealthy: 3,
    desiredHealthy: 2,
    expectedPods: 3,
    ...changes,
  }
}

/** The labels and name that placement looks at. */
export function nodeLabels(
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Pick<KubeNode, 'name' | 'labels'> {
  return { name, labels: { 'kubernetes.io/hostname': name, ...labels } }
}
