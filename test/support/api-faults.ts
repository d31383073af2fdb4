import { exitCode, MigrateError } from '../../src/core/errors.ts'
import type { Around, PortCall } from '../../src/migrate/port-calls.ts'
import type { Clock, LeaseStore } from '../../src/migrate/ports.ts'

/** What an API server, or something on the way to it, may do to a request. */
export const apiFaults = [
  '429 with Retry-After',
  '429 without',
  '500',
  '503 with Retry-After',
  'connection reset before it arrives',
  'connection reset after it arrived',
  'answer too late, after it had its effect',
  'slow answer',
  'leader changed',
  'expired token',
  'nobody there',
] as const
export type ApiFault = (typeof apiFaults)[number]

/** A connection to the API that may be in trouble; SSH to machines and files are not. */
export interface TroubledApi {
  readonly around: Around
  lease(store: LeaseStore): LeaseStore
  /** From now on, for one request of the step or, also for the lock, for so long. */
  begin(fault: ApiFault, ms: number | 'once'): void
  /** The same, from the moment of this request of a step on, counted from 1. */
  beginAtRequest(number: number, fault: ApiFault, ms: number | 'once'): void
  /** Requests of steps so far. */
  readonly requests: number
  /** Requests that met it. */
  readonly hits: number
  isInTrouble(): boolean
}

export function troubledApi(clock: Clock): TroubledApi {
  let trouble: { readonly fault: ApiFault; readonly untilMs: number } | undefined
  let once: ApiFault | undefined
  let due: { readonly request: number; readonly begin: () => void } | undefined
  let requests = 0
  let hits = 0
  const isInTrouble = () => trouble !== undefined && clock.monotonicMs() < trouble.untilMs

  function next(isStep: boolean): ApiFault | undefined {
    if (isStep) requests += 1
    if (isStep && requests === due?.request) due.begin()
    const single = isStep ? once : undefined
    if (isStep) once = undefined
    const fault = single ?? (isInTrouble() ? trouble?.fault : undefined)
    if (fault !== undefined) hits += 1
    return fault
  }

  async function meet<T>(
    what: string,
    send: () => Promise<T>,
    throttled?: (ms: number | null) => T,
  ): Promise<T> {
    const fault = next(!what.endsWith('lease'))
    switch (fault) {
      case undefined:
        return send()
      case '429 with Retry-After':
      case '503 with Retry-After': {
        if (throttled !== undefined) return throttled(7_000)
        throw passing(`${what}: HTTP ${fault.slice(0, 3)}`)
      }
      case '429 without':
        if (throttled !== undefined) return throttled(null)
        throw passing(`${what}: HTTP 429`)
      case '500':
        throw passing(`${what}: HTTP 500`)
      case 'connection reset before it arrives':
      case 'nobody there':
        throw passing(`${what}: connection reset`)
      case 'connection reset after it arrived':
        await send()
        throw passing(`${what}: connection reset`)
      case 'answer too late, after it had its effect':
        await send()
        await clock.sleep(10_000, new AbortController().signal)
        throw passing(`${what}: no answer within 10 s`)
      case 'slow answer':
        await clock.sleep(9_000, new AbortController().signal)
        return send()
      case 'leader changed':
        await send()
        throw passing(`${what}: HTTP 500: etcdserver: leader changed`)
      case 'expired token':
        throw new MigrateError(`${what}: the credentials do not count`, { exitCode: exitCode.permission })
    }
  }

  function begin(fault: ApiFault, ms: number | 'once'): void {
    if (ms === 'once') once = fault
    else trouble = { fault, untilMs: clock.monotonicMs() + ms }
  }

  return {
    get hits() {
      return hits
    },
    get requests() {
      return requests
    },
    isInTrouble,
    begin,
    beginAtRequest(number, fault, ms) {
      due = { request: number, begin: () => begin(fault, ms) }
    },
    async around(call, send) {
      if (call.port !== 'kube' && call.port !== 'reader') return send()
      return meet(call.method, send, throttledAnswer(call))
    },
    lease(store) {
      return {
        where: store.where,
        read: async (signal) => meet('get lease', async () => store.read(signal)),
        create: async (...all) => meet('create lease', async () => store.create(...all)),
        update: async (...all) => meet('patch lease', async () => store.update(...all)),
      }
    },
  }
}

/** What the port answers instead of throwing when an eviction is put off. */
function throttledAnswer({ method }: PortCall): ((retryAfterMs: number | null) => unknown) | undefined {
  if (method !== 'evict') return undefined
  return (retryAfterMs) => ({ status: 'throttled', message: 'too many requests', retryAfterMs })
}

function passing(message: string): MigrateError {
  return new MigrateError(message, { exitCode: exitCode.unexpected, transient: true })
}
