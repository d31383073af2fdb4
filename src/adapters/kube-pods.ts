import { openApi } from './kube/api.ts'
import { type CollectorPods, collectorPods } from './kube/collector-pods.ts'
import { type KubeconfigChoice, loadKubeconfig } from './kube/kubeconfig.ts'

export type { CollectorPods } from './kube/collector-pods.ts'

/** The collector in pods of a cluster; nothing is sent yet. Costs as much to load as `kube.ts`. */
export async function connectCollectorPods(
  choice: KubeconfigChoice,
  env: Readonly<Record<string, string | undefined>>,
): Promise<CollectorPods> {
  const kubeconfig = loadKubeconfig(choice, env)
  return collectorPods(openApi(kubeconfig, { requestMs: 10_000, patienceMs: 15_000 }), kubeconfig.config)
}
