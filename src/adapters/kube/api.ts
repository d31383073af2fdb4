import {
  type Configuration,
  createConfiguration,
  type RequestContext,
  ServerConfiguration,
} from '@kubernetes/client-node'
import type { Dispatcher } from 'undici'
import { z } from 'zod'
import { exitCode, MigrateError } from '../../core/errors.ts'
import { parseObject } from '../../core/kube-raw.ts'
import { systemClock } from '../clock.ts'
import { type ApiCall, ApiFailure, apiFailure, type Place } from './failure.ts'
import type { LoadedKubeconfig } from './kubeconfig.ts'

export interface ApiTimes {
  /** For each single request. */
  readonly requestMs: number
  /** A read that fails in a way that may pass is repeated for this long. */
  readonly patienceMs: number
}

/** Requests to one cluster with everything the client library leaves to its users. */
export interface Api {
  readonly place: Place
  /**
   * Sends a request with a time limit and the caller's signal. Repeats reads, and what a busy server asked to send again
   * (429, 503 with Retry-After); `once` repeats nothing. Throws MigrateError, or the signal's reason.
   */
  call<T>(
    call: ApiCall,
    signal: AbortSignal,
    send: (configuration: Configuration) => Promise<T>,
    repeat?: 'once',
  ): Promise<T>
  /** All pages of a list. */
  list(call: ApiCall, signal: AbortSignal, send: SendPage): Promise<unknown[]>
}

interface Page {
  readonly limit: number
  readonly _continue?: string
}

type SendPage = (configuration: Configuration, page: Page) => Promise<unknown>

const pageSize = 500
const repeatAfterMs = [500, 1000, 2000, 4000] as const

export function openApi({ config, context, server }: LoadedKubeconfig, times: ApiTimes): Api {
  const place = { context, server }
  const baseServer = new ServerConfiguration(server, {})
  let connections: Dispatcher | undefined

  /** The library opens a connection pool per request; all requests use the first one, until credentials change. */
  async function shareConnections(request: RequestContext): Promise<RequestContext> {
    connections ??= request.getDispatcher()
    if (connections !== undefined) request.setDispatcher(connections)
    return request
  }

  async function authenticate(request: RequestContext): Promise<void> {
    try {
      await config.applySecurityAuthentication(request)
    } catch (error) {
      // The text of a credential plugin or key reader may hold the credential itself.
      throw new MigrateError(`the credentials of context ${context} cannot be obtained`, {
        exitCode: exitCode.permission,
        hint: `compare: kubectl --context ${context} get nodes`,
        cause: error,
      })
    }
  }

  /** One configuration per request: the library has no other way to hand over a signal. */
  function configuration(signal: AbortSignal): Configuration {
    return createConfiguration({
      baseServer,
      authMethods: {
        default: { getName: () => 'kubeconfig', applySecurityAuthentication: authenticate },
      },
      promiseMiddleware: [
        {
          async pre(request) {
            request.setSignal(signal)
            request.setHeaderParam('User-Agent', 'k3os-migrate')
            return shareConnections(request)
          },
          async post(response) {
            // The library makes an empty list of a web page that something in between sends with status 200.
            const type = response.headers['content-type'] ?? ''
            if (response.httpStatusCode < 300 && !type.startsWith('application/json'))
              throw new SyntaxError('not JSON')
            return response
          },
        },
      ],
    })
  }

  async function once<T>(
    call: ApiCall,
    signal: AbortSignal,
    send: (configuration: Configuration) => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted()
    try {
      const limit = AbortSignal.timeout(times.requestMs)
      return await send(configuration(AbortSignal.any([signal, limit])))
    } catch (error) {
      signal.throwIfAborted()
      const failure = apiFailure(error, call, place, times.requestMs)
      // Client certificates are part of the connection: the next request must be able to show a renewed one.
      if (failure.exitCode === exitCode.permission) connections = undefined
      throw failure
    }
  }

  async function call<T>(
    what: ApiCall,
    signal: AbortSignal,
    send: (configuration: Configuration) => Promise<T>,
    repeat?: 'once',
  ): Promise<T> {
    const startMs = performance.now()
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await once(what, signal, send)
      } catch (error) {
        const waitMs = repeat === 'once' ? undefined : waitBeforeRepeating(error, what, attempt)
        if (waitMs === undefined || performance.now() - startMs + waitMs > times.patienceMs) throw error
        await systemClock.sleep(waitMs, signal)
      }
    }
  }

  async function allPages(what: ApiCall, signal: AbortSignal, send: SendPage): Promise<unknown[]> {
    const items: unknown[] = []
    let page: Page | undefined = { limit: pageSize }
    while (page !== undefined) {
      const asked: Page = page
      const answer = await call(what, signal, (configured) => send(configured, asked))
      const { metadata, items: more } = parseObject('list', rawList, answer)
      items.push(...(more ?? []))
      const next = metadata?._continue ?? metadata?.continue ?? ''
      page = next === '' ? undefined : { limit: pageSize, _continue: next }
    }
    return items
  }

  async function list(what: ApiCall, signal: AbortSignal, send: SendPage): Promise<unknown[]> {
    try {
      return await allPages(what, signal, send)
    } catch (error) {
      // The snapshot behind the pages is gone (compaction). Half a list is no list: once more from the beginning.
      if (error instanceof ApiFailure && error.answer?.status === 410) return allPages(what, signal, send)
      throw error
    }
  }

  return { place, call, list }
}

// A typed list has `_continue`, an untyped one the API's own `continue`. `items` may be null, never missing: the library
// reads anything as a list, and an empty one would prove that a node is drained.
const rawList = z.object({
  kind: z.string().endsWith('List'),
  metadata: z.object({ _continue: z.string().nullish(), continue: z.string().nullish() }).nullish(),
  items: z.array(z.unknown()).nullable(),
})

function waitBeforeRepeating(error: unknown, call: ApiCall, attempt: number): number | undefined {
  if (!(error instanceof ApiFailure) || !error.transient) return undefined
  const usualMs = repeatAfterMs[Math.min(attempt, repeatAfterMs.length - 1)] ?? 0
  const { answer } = error
  const askedMs = answer?.retryAfterMs ?? null
  const busy = answer?.status === 429 || answer?.status === 503
  if (busy && askedMs !== null) return askedMs
  return call.verb === 'get' || call.verb === 'list' ? usualMs : undefined
}
