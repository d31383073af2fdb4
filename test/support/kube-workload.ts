import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { ControlPlane } from './control-plane.ts'
import type { KubeAge } from './control-plane-flags.ts'
import { until } from './lab-processes.ts'

/** What the suites put into a cluster: an application with a budget, a DaemonSet, accounts with few rights. */

const patienceMs = 60_000

export async function apply(cluster: ControlPlane, ...objects: readonly object[]): Promise<void> {
  const list = { apiVersion: 'v1', kind: 'List', items: objects }
  const { code, stderr } = await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(list))
  if (code !== 0) throw new Error(`kubectl apply: ${stderr}`)
}

export function namespace(name: string): object {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
}

function podTemplate(app: string, graceSeconds: number, extra: object): object {
  return {
    metadata: { labels: { app } },
    spec: {
      terminationGracePeriodSeconds: graceSeconds,
      containers: [{ name: 'main', image: 'none' }],
      ...extra,
    },
  }
}

export function deployment(app: string, replicas: number, graceSeconds: number, extra: object = {}): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: app, namespace: 'shop' },
    spec: { replicas, selector: { matchLabels: { app } }, template: podTemplate(app, graceSeconds, extra) },
  }
}

export function statefulSet(app: string, replicas: number, graceSeconds: number): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: app, namespace: 'shop' },
    spec: {
      replicas,
      serviceName: app,
      selector: { matchLabels: { app } },
      template: podTemplate(app, graceSeconds, {}),
    },
  }
}

export function daemonSet(app: string): object {
  const tolerations = [{ operator: 'Exists' }]
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: app, namespace: 'shop' },
    spec: { selector: { matchLabels: { app } }, template: podTemplate(app, 1, { tolerations }) },
  }
}

export function policyVersion(age: KubeAge): 'policy/v1' | 'policy/v1beta1' {
  return age === '1.20' ? 'policy/v1beta1' : 'policy/v1'
}

export function budget(age: KubeAge, app: string, minAvailable: number | string): object {
  return {
    apiVersion: policyVersion(age),
    kind: 'PodDisruptionBudget',
    metadata: { name: app, namespace: 'shop' },
    spec: { minAvailable, selector: { matchLabels: { app } } },
  }
}

export interface LivePod {
  readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string }
  readonly spec: { readonly nodeName?: string }
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
}

/** Pods of an application, or of the whole namespace, as the administrator sees them. */
export async function pods(cluster: ControlPlane, app?: string): Promise<LivePod[]> {
  const query = app === undefined ? '' : `?labelSelector=app%3D${app}`
  const { body } = await cluster.request<{ items: LivePod[] }>('GET', `/api/v1/namespaces/shop/pods${query}`)
  return body.items
}

export async function untilReady(cluster: ControlPlane, app: string, count: number): Promise<void> {
  await until(`${count} pods of ${app} are Ready`, AbortSignal.timeout(patienceMs), async () => {
    const ready = (await pods(cluster, app)).filter(
      ({ metadata, status }) =>
        metadata.deletionTimestamp === undefined &&
        status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true,
    )
    return ready.length === count
  })
}

/** The budget controller has counted the pods. */
export async function untilBudgetAllows(
  cluster: ControlPlane,
  age: KubeAge,
  name: string,
  disruptions: number,
): Promise<void> {
  const path = `/apis/${policyVersion(age)}/namespaces/shop/poddisruptionbudgets/${name}`
  await until(`the budget ${name} allows ${disruptions}`, AbortSignal.timeout(patienceMs), async () => {
    const { body } = await cluster.request<{
      metadata: { generation?: number }
      status?: { disruptionsAllowed?: number; observedGeneration?: number; expectedPods?: number }
    }>('GET', path)
    const { status } = body
    const seen = status?.observedGeneration === body.metadata.generation && (status?.expectedPods ?? 0) > 0
    return seen && (status?.disruptionsAllowed ?? 0) === disruptions
  })
}

/** A kubeconfig for an account that has these rules in the whole cluster and nothing else. */
export async function limitedAccount(
  cluster: ControlPlane,
  directory: string,
  rules: readonly object[],
): Promise<string> {
  const name = 'limited'
  await apply(
    cluster,
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: 'default' } },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name }, rules },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace: 'default' }],
    },
  )
  const { body } = await cluster.request<{ status: { token: string } }>(
    'POST',
    `/api/v1/namespaces/default/serviceaccounts/${name}/token`,
    { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
  )
  const admin = parse(readFileSync(cluster.kubeconfig, 'utf8')) as { clusters: object[]; contexts: object[] }
  const file = join(directory, 'limited.kubeconfig')
  const [context] = admin.contexts as [{ name: string; context: { cluster: string } }]
  const config = {
    ...admin,
    users: [{ name, user: { token: body.status.token } }],
    contexts: [{ name, context: { cluster: context.context.cluster, user: name } }],
    'current-context': name,
  }
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 })
  return file
}
