import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { parse } from 'yaml'
import type { ControlPlane } from './control-plane.ts'

/** What happens to a request on its way to the API server, or to its answer on the way back. */
export type WireFault =
  /** The server is not asked; this is the answer. */
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly message: string
      readonly retryAfterSeconds?: number
    }
  /** The server is asked, and another answer is given. */
  | { readonly kind: 'answer-instead'; readonly status: number; readonly message: string }
  | { readonly kind: 'web-page' }
  | { readonly kind: 'reset-before' }
  | { readonly kind: 'reset-after' }
  /** The server is asked; nobody hears of it. */
  | { readonly kind: 'silence' }
  | { readonly kind: 'half-an-answer' }
  | { readonly kind: 'late'; readonly ms: number }
  /** Nobody answers anything for so long. */
  | { readonly kind: 'away'; readonly ms: number }

export interface FaultRule {
  readonly name: string
  readonly method: string
  /** Of path and query. */
  readonly path: RegExp
  /** Of what is sent. */
  readonly body?: RegExp
  readonly times: number
  readonly fault: WireFault
}

export interface ApiProxy {
  /** Reaches the API server through here. */
  readonly kubeconfig: string
  /** How often each rule has struck, by name. */
  readonly struck: ReadonlyMap<string, number>
  stop(): Promise<void>
}

/** Stands between a client and the API server; speaks plain HTTP to the one and TLS to the other. */
export async function startApiProxy(
  cluster: ControlPlane,
  folder: string,
  rules: readonly FaultRule[],
): Promise<ApiProxy> {
  const agent = new Agent({ keepAlive: true, ...clientCertificate(cluster.kubeconfig) })
  const struck = new Map<string, number>()
  let awayUntilMs = 0

  const server = createServer((request, response) => {
    pass(request, response).catch(() => request.socket.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const kubeconfig = join(folder, 'proxy.kubeconfig')
  writeFileSync(kubeconfig, JSON.stringify(config(`http://127.0.0.1:${port}`)), { mode: 0o600 })

  function next(request: IncomingMessage, body: Buffer): WireFault | undefined {
    const rule = rules.find(
      (one) =>
        (struck.get(one.name) ?? 0) < one.times &&
        one.method === request.method &&
        one.path.test(request.url ?? '') &&
        (one.body?.test(body.toString()) ?? true),
    )
    if (rule !== undefined) struck.set(rule.name, (struck.get(rule.name) ?? 0) + 1)
    return rule?.fault
  }

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request)
    if (Date.now() < awayUntilMs) {
      request.socket.destroy()
      return
    }
    const fault = next(request, body)
    switch (fault?.kind) {
      case 'answer':
        if (fault.retryAfterSeconds !== undefined)
          response.setHeader('retry-after', String(fault.retryAfterSeconds))
        answer(response, fault)
        return
      case 'answer-instead':
        await forward(request, body)
        answer(response, fault)
        return
      case 'web-page':
        response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Please log in</html>')
        return
      case 'reset-before':
        request.socket.destroy()
        return
      case 'reset-after':
        await forward(request, body)
        request.socket.destroy()
        return
      case 'silence':
        await forward(request, body)
        return
      case 'half-an-answer': {
        const { status, headers, content } = await forward(request, body)
        response.writeHead(status, { ...headers, 'content-length': content.length })
        response.write(content.subarray(0, Math.floor(content.length / 2)), () => request.socket.destroy())
        return
      }
      case 'away':
        awayUntilMs = Date.now() + fault.ms
        request.socket.destroy()
        return
      case 'late':
        await sleep(fault.ms)
        break
      case undefined:
        break
    }
    const { status, headers, content } = await forward(request, body)
    response.writeHead(status, headers).end(content)
  }

  async function forward(request: IncomingMessage, body: Buffer) {
    const { authorization: _, host: __, connection: ___, ...headers } = request.headers
    const outgoing = httpsRequest(new URL(request.url ?? '/', cluster.server), {
      agent,
      ...(request.method === undefined ? {} : { method: request.method }),
      headers: { ...headers, 'accept-encoding': 'identity' },
    })
    outgoing.end(body)
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
    const { 'content-type': type, 'retry-after': retryAfter, date } = incoming.headers
    return {
      status: incoming.statusCode ?? 502,
      headers: {
        ...(type === undefined ? {} : { 'content-type': type }),
        ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
        ...(date === undefined ? {} : { date }),
      },
      content: await buffer(incoming),
    }
  }

  return {
    kubeconfig,
    struck,
    async stop() {
      server.closeAllConnections()
      server.close()
      agent.destroy()
      await once(server, 'close')
    },
  }
}

function answer(
  response: ServerResponse,
  { status, message }: { readonly status: number; readonly message: string },
): void {
  const reason =
    { 401: 'Unauthorized', 429: 'TooManyRequests', 503: 'ServiceUnavailable' }[status] ?? 'InternalError'
  const body = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    code: status,
  }
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function clientCertificate(kubeconfig: string) {
  const { clusters, users } = parse(readFileSync(kubeconfig, 'utf8')) as {
    clusters: [{ cluster: { 'certificate-authority-data': string } }]
    users: [{ user: { 'client-certificate-data': string; 'client-key-data': string } }]
  }
  const bytes = (text: string) => Buffer.from(text, 'base64')
  return {
    ca: bytes(clusters[0].cluster['certificate-authority-data']),
    cert: bytes(users[0].user['client-certificate-data']),
    key: bytes(users[0].user['client-key-data']),
  }
}

function config(server: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'proxy', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'proxy', user: { token: 'not-looked-at' } }],
    contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'proxy' } }],
    'current-context': 'proxy',
  }
}
