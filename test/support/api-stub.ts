import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

export interface StubRequest {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** Parsed JSON; bytes when it is protobuf; undefined when there is none. */
  readonly body: unknown
}

/** An answer in full, or a function that may do anything with the connection. */
export type StubAnswer =
  | { readonly status: number; readonly body: unknown; readonly headers?: Readonly<Record<string, string>> }
  | ((response: ServerResponse) => void)

export interface ApiStub {
  /** A kubeconfig file with one context, `stub`. */
  readonly kubeconfig: string
  readonly url: string
  /** Everything that was asked, in order. */
  readonly requests: readonly StubRequest[]
  /** How many connections were opened. */
  readonly connections: () => number
  /**
   * Answers to `METHOD /path`, the query left out, one after the other; the last one stays. What has no answer gets the
   * 404 of an API server that does not know the path.
   */
  on(request: string, ...answers: readonly StubAnswer[]): void
  /** Stops listening, so that connections are refused. */
  close(): Promise<void>
}

export interface Listening extends Pick<
  ApiStub,
  'kubeconfig' | 'url' | 'requests' | 'connections' | 'close'
> {
  /** Stops listening and removes the kubeconfig. */
  readonly end: () => Promise<void>
}

/** An API server in this process that says what the test tells it to. Gone when the test is. */
export async function startApiStub(): Promise<ApiStub> {
  const scripts = new Map<string, StubAnswer[]>()
  const { end, ...stub } = await listen(({ method, path }, response) => {
    const script = scripts.get(`${method} ${path.split('?')[0]}`) ?? []
    reply(response, script.length > 1 ? script.shift() : script[0])
  })
  onTestFinished(end)
  return {
    ...stub,
    on(request, ...answers) {
      scripts.set(request, [...answers])
    },
  }
}

/** Sends an answer; without one, the 404 of an API server that does not know the path. */
export function reply(response: ServerResponse, answer: StubAnswer | undefined): void {
  if (typeof answer === 'function') answer(response)
  else if (answer === undefined)
    response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found\n')
  else
    response
      .writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
      .end(JSON.stringify(answer.body))
}

/** Hands every request to `handle` once it is there in full. The caller calls `end`. */
export async function listen(
  handle: (request: StubRequest, response: ServerResponse) => void,
): Promise<Listening> {
  const requests: StubRequest[] = []
  let connections = 0
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const { method = '', url: path = '', headers } = incoming
      const request = { method, path, headers, body: parseBody(headers, Buffer.concat(chunks)) }
      requests.push(request)
      handle(request, response)
    })
  })
  server.on('connection', () => (connections += 1))
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await promise
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  const directory = mkdtempSync(join(tmpdir(), 'k3os-migrate-stub-'))
  async function close(): Promise<void> {
    const closed = Promise.withResolvers<void>()
    server.close(() => closed.resolve())
    server.closeAllConnections()
    await closed.promise
  }
  async function end(): Promise<void> {
    await close()
    rmSync(directory, { recursive: true, force: true })
  }
  const kubeconfig = join(directory, 'config')
  writeFileSync(kubeconfig, JSON.stringify(kubeconfigFor(url)))
  return { kubeconfig, url, requests, connections: () => connections, close, end }
}

/** Newer kubectls send protobuf, which is left as it is. */
function parseBody(headers: IncomingHttpHeaders, body: Buffer): unknown {
  if (body.length === 0) return undefined
  return headers['content-type']?.includes('protobuf') === true ? body : JSON.parse(body.toString())
}

export const stubToken = 'S3CRET-bearer-token'

export function kubeconfigFor(server: string, name = 'stub'): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name, user: { token: stubToken } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  }
}

export function ok(body: unknown): StubAnswer {
  return { status: 200, body }
}

/** A failure as a Kubernetes API server words it. */
export function status(
  code: number,
  reason: string,
  message: string,
  more: { readonly details?: object; readonly retryAfter?: number } = {},
): StubAnswer {
  const body = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    code,
    details: more.details,
  }
  return more.retryAfter === undefined
    ? { status: code, body }
    : { status: code, body, headers: { 'retry-after': String(more.retryAfter) } }
}

export function listOf(kind: string, items: readonly object[], next?: string): StubAnswer {
  return ok({
    kind: `${kind}List`,
    apiVersion: 'v1',
    metadata: next === undefined ? {} : { continue: next },
    items,
  })
}

/** The groups an API server offers, with their versions. */
export function groups(offered: Readonly<Record<string, readonly string[]>>): StubAnswer {
  const all = Object.entries(offered).map(([name, versions]) => {
    const listed = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }))
    return { name, versions: listed, preferredVersion: listed[0] }
  })
  return ok({ kind: 'APIGroupList', apiVersion: 'v1', groups: all })
}
