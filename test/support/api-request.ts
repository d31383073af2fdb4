import { readFile } from 'node:fs/promises'
import { Agent, request as httpsRequest } from 'node:https'
import { parse } from 'yaml'

export interface ApiAnswer<Body> {
  readonly status: number
  /** Parsed when it is JSON, else its text. */
  readonly body: Body
}

/** Sends one request, with a JSON body or a strategic merge patch; any status is an answer. */
export type ApiRequest = <Body = unknown>(
  method: string,
  path: string,
  body?: unknown,
) => Promise<ApiAnswer<Body>>

/** A client of the suites' own: a fault of the adapter under test must not hide itself by being here too. */
export async function openApi(
  server: string,
  kubeconfig: string,
): Promise<{ request: ApiRequest; close: () => void }> {
  const config = parse(await readFile(kubeconfig, 'utf8')) as {
    clusters: [{ cluster: { 'certificate-authority-data': string } }]
    users: [{ user: { 'client-certificate-data': string; 'client-key-data': string } }]
  }
  const { user } = config.users[0]
  const agent = new Agent({
    keepAlive: true,
    ca: Buffer.from(config.clusters[0].cluster['certificate-authority-data'], 'base64'),
    cert: Buffer.from(user['client-certificate-data'], 'base64'),
    key: Buffer.from(user['client-key-data'], 'base64'),
  })
  async function request<Body>(method: string, path: string, body?: unknown): Promise<ApiAnswer<Body>> {
    const contentType = method === 'PATCH' ? 'application/strategic-merge-patch+json' : 'application/json'
    const { promise, resolve, reject } = Promise.withResolvers<ApiAnswer<Body>>()
    const outgoing = httpsRequest(new URL(path, server), {
      agent,
      method,
      headers: { 'content-type': contentType },
    })
    outgoing.on('error', reject)
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('error', reject)
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        const isJson = response.headers['content-type']?.startsWith('application/json') === true
        resolve({ status: response.statusCode ?? 0, body: (isJson ? JSON.parse(text) : text) as Body })
      })
    })
    outgoing.end(body === undefined ? undefined : JSON.stringify(body))
    return promise
  }
  return { request, close: () => agent.destroy() }
}
