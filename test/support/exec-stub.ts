import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { kubeconfigFor } from './api-stub.ts'

/** What happens to the pods of the test, and to those who enter them. */
export interface ExecStub {
  readonly kubeconfig: string
  /** Pods that exist now, as they were sent. */
  readonly pods: Map<string, PodSent>
  /** Queries of those who entered. */
  readonly entered: readonly URLSearchParams[]
}

interface PodSent {
  readonly metadata: {
    readonly name: string
    readonly annotations: Record<string, string>
    readonly creationTimestamp?: string
  }
  readonly spec: Record<string, unknown>
}

export interface ExecScript {
  /** The status a pod shows, one after the other; the last one stays. */
  readonly statuses?: readonly object[]
  /** Streams (1 stdout, 2 stderr, 3 status) and what comes on them; then the connection is closed. */
  readonly frames?: readonly (readonly [stream: number, content: string])[]
  /** HTTP status in place of a connection. */
  readonly refuses?: number
  /** Enters, and never says a word. */
  readonly silent?: boolean
}

/** An API server with pods that somebody can enter: RFC 6455 as far as a server has to speak it here. */
export async function startExecStub(script: ExecScript): Promise<ExecStub> {
  const pods = new Map<string, PodSent>()
  const entered: URLSearchParams[] = []
  const statuses = [...(script.statuses ?? [{ phase: 'Running' }])]
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => {
    void answer(request).then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
  })
  async function answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const name = /\/pods\/([^/?]+)/.exec(request.url ?? '')?.[1] ?? ''
    if (request.method === 'POST') {
      const pod = JSON.parse(Buffer.concat(chunks).toString()) as PodSent
      pods.set(pod.metadata.name, pod)
      return { status: 201, body: pod }
    }
    if (request.method === 'DELETE') {
      if (pods.delete(name)) return { status: 200, body: { kind: 'Status', status: 'Success' } }
    } else if (name === '') {
      const items = [...pods.values()].map((pod) => ({ ...pod, spec: {} }))
      return { status: 200, body: { kind: 'PodList', apiVersion: 'v1', metadata: {}, items } }
    } else if (pods.has(name)) {
      const status = statuses.length > 1 ? statuses.shift() : statuses[0]
      return { status: 200, body: { ...pods.get(name), status } }
    }
    return { status: 404, body: { kind: 'Status', status: 'Failure', reason: 'NotFound', code: 404 } }
  }
  server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    entered.push(new URL(request.url ?? '', 'http://stub').searchParams)
    if (script.refuses !== undefined) {
      socket.end(`HTTP/1.1 ${script.refuses} Refused\r\ncontent-length: 0\r\n\r\n`)
      return
    }
    const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
    const accept = createHash('sha1').update(key).digest('base64')
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${accept}\r\nsec-websocket-protocol: v4.channel.k8s.io\r\n\r\n`,
    )
    if (script.silent === true) return
    for (const [stream, content] of script.frames ?? [])
      socket.write(frame(2, Buffer.concat([Buffer.from([stream]), Buffer.from(content)])))
    socket.end(frame(8, Buffer.alloc(0)))
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  const directory = mkdtempSync(join(tmpdir(), 'k3os-migrate-exec-'))
  const kubeconfig = join(directory, 'config')
  writeFileSync(kubeconfig, JSON.stringify(kubeconfigFor(`http://127.0.0.1:${port}`)))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
    server.closeAllConnections()
    rmSync(directory, { recursive: true })
  })
  return { kubeconfig, pods, entered }
}

/** An unmasked frame that is the whole message. */
function frame(opcode: number, content: Buffer): Buffer {
  const { length } = content
  const head =
    length < 126
      ? Buffer.from([0x80 | opcode, length])
      : Buffer.from([0x80 | opcode, 127, 0, 0, 0, 0, 0, 0, 0, 0])
  if (length >= 126) head.writeBigUInt64BE(BigInt(length), 2)
  return Buffer.concat([head, content])
}
