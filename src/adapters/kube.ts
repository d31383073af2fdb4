import type {
  AccessReviewer,
  BudgetReader,
  ClusterReader,
  LeftoverStore,
  KubectlKube,
  LeaseStore,
  NodeLister,
} from '../migrate/ports.ts'
import { accessReviewerOf } from './kube/access.ts'
import { type ApiTimes, openApi } from './kube/api.ts'
import { kubeOf } from './kube/cluster.ts'
import { leaseStoreOf } from './kube/lease.ts'
import { type KubeconfigChoice, loadKubeconfig } from './kube/kubeconfig.ts'
import { leftoverStoreOf } from './kube/leftovers.ts'
import { readerOf } from './kube/reader.ts'

const defaultTimes: ApiTimes = { requestMs: 10_000, patienceMs: 15_000 }

export interface ClusterConnection {
  readonly kube: KubectlKube
  readonly reader: ClusterReader & NodeLister & BudgetReader
  readonly access: AccessReviewer
  readonly leftovers: LeftoverStore
  readonly lease: LeaseStore
}

/**
 * Finds the cluster as kubectl does and prepares to speak to it; nothing is sent yet. Loading this file costs a third of
 * a second (the client library), so commands import it only when they need a cluster.
 */
export async function connectCluster(
  choice: KubeconfigChoice,
  env: Readonly<Record<string, string | undefined>>,
  times: ApiTimes = defaultTimes,
): Promise<ClusterConnection> {
  const api = openApi(loadKubeconfig(choice, env), times)
  return {
    kube: kubeOf(api),
    reader: readerOf(api),
    access: accessReviewerOf(api),
    leftovers: leftoverStoreOf(api),
    lease: leaseStoreOf(api),
  }
}
