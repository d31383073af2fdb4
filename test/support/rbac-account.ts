import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { ControlPlane } from './control-plane.ts'

/** A kubeconfig for a service account that exists, with a token of its own. */
export async function accountKubeconfig(
  cluster: ControlPlane,
  directory: string,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<string> {
  const { status, body } = await cluster.request<{ status: { token: string } }>(
    'POST',
    `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
    { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
  )
  if (status >= 300) throw new Error(`no token for ${namespace}/${name}: ${status}`)
  const admin = parse(readFileSync(cluster.kubeconfig, 'utf8')) as {
    contexts: [{ context: { cluster: string } }]
  }
  const [context] = admin.contexts
  const file = join(directory, `${name}.kubeconfig`)
  mkdirSync(directory, { recursive: true })
  const config = {
    ...admin,
    users: [{ name, user: { token: body.status.token } }],
    contexts: [{ name, context: { cluster: context.context.cluster, user: name } }],
    'current-context': name,
  }
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 })
  return file
}
