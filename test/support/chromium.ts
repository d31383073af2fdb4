import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The program, or undefined where no Chromium is installed. */
export function findChromium(): string | undefined {
  const names = ['chromium', 'chromium-browser', 'google-chrome']
  return names.find((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0)
}

/** Answers of the DevTools protocol are what the caller knows them to be. */
type Answer = Readonly<Record<string, unknown>>

export interface Page {
  /** One method of the DevTools protocol. */
  send(method: string, params?: object): Promise<Answer>
  /** Loads an address, at most 30 s. */
  open(url: string): Promise<void>
  /** Value of an expression in the page; promises are awaited. */
  evaluate(expression: string): Promise<unknown>
  /** What the page that is open complained about: console errors, exceptions, refused loads. */
  readonly complaints: readonly string[]
  /** Addresses it asked for. */
  readonly requests: readonly string[]
  close(): Promise<void>
}

/** A headless browser with one page, driven through its own protocol. */
export async function openPage(program: string): Promise<Page> {
  const profile = mkdtempSync(join(tmpdir(), 'chromium-'))
  const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--hide-scrollbars']
  const child = spawn(
    program,
    [...flags, '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank'],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const endpoint = await new Promise<string>((resolve, reject) => {
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
      const address = /DevTools listening on (ws:\/\/\S+)/.exec(said)?.[1]
      if (address !== undefined) resolve(address)
    })
    child.on('error', reject)
    child.on('exit', (code) => {
      reject(new Error(`${program} ended with ${code}: ${said}`))
    })
  })
  const socket = new WebSocket(endpoint)
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true })
    socket.addEventListener('error', () => reject(new Error(`cannot reach ${endpoint}`)), { once: true })
  })

  const waiting = new Map<number, { resolve(answer: Answer): void; reject(error: Error): void }>()
  const complaints: string[] = []
  const requests: string[] = []
  let loaded: () => void = () => undefined
  let session: string | undefined
  let lastId = 0

  const send = async (method: string, params: object = {}): Promise<Answer> => {
    lastId += 1
    const id = lastId
    const answer = new Promise<Answer>((resolve, reject) => waiting.set(id, { resolve, reject }))
    socket.send(
      JSON.stringify({ id, method, params, ...(session === undefined ? {} : { sessionId: session }) }),
    )
    return answer
  }

  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as {
      id?: number
      result?: Answer
      error?: { message: string }
      method?: string
      params?: Answer
    }
    if (message.id !== undefined) {
      const one = waiting.get(message.id)
      waiting.delete(message.id)
      if (message.error === undefined) one?.resolve(message.result ?? {})
      else one?.reject(new Error(message.error.message))
      return
    }
    switch (message.method ?? '') {
      case 'Page.loadEventFired':
        loaded()
        break
      case 'Runtime.exceptionThrown':
      case 'Log.entryAdded':
        complaints.push(JSON.stringify(message.params))
        break
      case 'Runtime.consoleAPICalled':
        if (message.params?.['type'] === 'error') complaints.push(JSON.stringify(message.params))
        break
      case 'Network.requestWillBeSent':
        requests.push(String((message.params?.['request'] as { url?: unknown } | undefined)?.url))
        break
    }
  })

  const { targetId } = await send('Target.createTarget', { url: 'about:blank' })
  session = String((await send('Target.attachToTarget', { targetId, flatten: true }))['sessionId'])
  for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await send(`${domain}.enable`)

  return {
    send,
    complaints,
    requests,
    async open(url) {
      complaints.length = 0
      requests.length = 0
      const done = new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`${url} was not loaded in 30 s`)), 30_000)
        loaded = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      await send('Page.navigate', { url })
      await done
    },
    async evaluate(expression) {
      const answer = await send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })
      if (answer['exceptionDetails'] !== undefined)
        throw new Error(JSON.stringify(answer['exceptionDetails']))
      return (answer['result'] as { value?: unknown }).value
    },
    async close() {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      socket.close()
      child.kill()
      await ended
      rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    },
  }
}
