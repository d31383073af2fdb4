import { ApiException } from '@kubernetes/client-node'
import { exitCode, MigrateError, type ErrorDetails } from '../../core/errors.ts'

/** What is asked of the API server, in the words of RBAC. */
export interface ApiCall {
  readonly verb: 'get' | 'list' | 'patch' | 'create' | 'delete'
  /** `nodes`, `pods/eviction`, `plans.upgrade.cattle.io`; a path such as `/version` for what is not a resource. */
  readonly resource: string
  readonly namespace?: string
  readonly name?: string
}

/** Name of context and server, for sentences. */
export interface Place {
  readonly context: string
  readonly server: string
}

interface StatusCause {
  readonly reason: string
  readonly message: string
}

interface Answer {
  readonly status: number
  /** `NotFound`, `TooManyRequests`, …; null when the answer was no Kubernetes Status. */
  readonly reason: string | null
  readonly message: string
  readonly causes: readonly StatusCause[]
  /** What the Status is about: `pods` and its name. */
  readonly kind: string | null
  readonly name: string | null
  readonly retryAfterMs: number | null
}

/** A request to the API server that failed; `answer` is null when none came. */
export class ApiFailure extends MigrateError {
  readonly answer: Answer | null

  constructor(message: string, answer: Answer | null, details: ErrorDetails) {
    super(message, details)
    this.answer = answer
  }
}

/** True when the API server itself says that the object does not exist; a 404 of something in between does not count. */
export function saysNotFound(error: unknown): boolean {
  return error instanceof ApiFailure && error.answer?.status === 404 && error.answer.reason === 'NotFound'
}

/** `list pods`, `patch nodes n1`, `create pods/eviction web-1 in namespace shop`. */
export function callSentence({ verb, resource, name, namespace }: ApiCall): string {
  const which = name === undefined ? '' : ` ${name}`
  return `${verb} ${resource}${which}${namespace === undefined ? '' : ` in namespace ${namespace}`}`
}

/** Turns what the library threw into our error. Never quotes bodies or headers: they may carry secrets. */
export function apiFailure(error: unknown, call: ApiCall, place: Place, timeoutMs: number): MigrateError {
  if (error instanceof MigrateError) return error
  if (error instanceof ApiException) return answered(readAnswer(error), call, place)
  const request = callSentence(call)
  if (error instanceof Error && error.name === 'TimeoutError')
    return new ApiFailure(`${place.server} did not answer within ${timeoutMs / 1000} s: ${request}`, null, {
      exitCode: exitCode.unexpected,
      hint: `see whether the server is up: curl -k ${place.server}/version`,
      transient: true,
    })
  // The library's words for a body that is not JSON at all, by its syntax or by its declared type.
  if (
    error instanceof SyntaxError ||
    (error instanceof Error && /mediaType|Content-Type/.test(error.message))
  )
    return new ApiFailure(`${place.server} answered with something that is not JSON: ${request}`, null, {
      exitCode: exitCode.unexpected,
      transient: true,
    })
  if (error instanceof TypeError && error.cause !== undefined) return unreachable(error, call, place)
  throw error
}

function answered(answer: Answer, call: ApiCall, place: Place): ApiFailure {
  const request = callSentence(call)
  const at = `context ${place.context} (${place.server})`
  if (answer.status === 401)
    return new ApiFailure(`${at} does not accept the credentials: ${request}`, answer, {
      exitCode: exitCode.permission,
      hint: `the client certificate or token may have expired; compare: kubectl --context ${place.context} get nodes`,
    })
  const said = answer.message === '' ? '' : `: ${answer.message}`
  if (answer.status === 403)
    return new ApiFailure(
      /\bcannot \w+ (resource|path)\b/.test(answer.message) || answer.message === ''
        ? `no permission to ${request} at ${at}`
        : `${at} refuses to ${request}${said}`,
      answer,
      { exitCode: exitCode.permission, hint: canI(call, place) },
    )
  return new ApiFailure(`cannot ${request} at ${at}: HTTP ${answer.status}${said}`, answer, {
    exitCode: exitCode.unexpected,
    // 409: somebody else changed the object in the same moment.
    transient: answer.status === 409 || answer.status === 429 || answer.status >= 500,
  })
}

function canI({ verb, resource, namespace }: ApiCall, place: Place): string {
  const [main = resource, subresource] = resource.startsWith('/') ? [resource] : resource.split('/')
  const options = [
    ...(subresource === undefined ? [] : [`--subresource=${subresource}`]),
    ...(namespace === undefined ? [] : ['-n', namespace]),
    ...(verb === 'list' && namespace === undefined && !resource.startsWith('/') ? ['-A'] : []),
  ]
  return ['kubectl', '--context', place.context, 'auth can-i', verb, main, ...options].join(' ')
}

function readAnswer(error: ApiException<unknown>): Answer {
  const status = parseStatus(error.body)
  const details = record(status?.['details'])
  const causes = Array.isArray(details?.['causes']) ? details['causes'].map(record) : []
  const header = Object.entries(error.headers).find(([name]) => name.toLowerCase() === 'retry-after')?.[1]
  const seconds = Number(header ?? details?.['retryAfterSeconds'])
  return {
    status: error.code,
    reason: text(status?.['reason']),
    message: oneLine(text(status?.['message']) ?? ''),
    causes: causes.map((cause) => ({
      reason: text(cause?.['reason']) ?? '',
      message: oneLine(text(cause?.['message']) ?? ''),
    })),
    kind: text(details?.['kind']),
    name: text(details?.['name']),
    retryAfterMs: Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : null,
  }
}

/** The library hands out the body of an error as text; only a Kubernetes Status is of use. */
function parseStatus(body: unknown): Record<string, unknown> | undefined {
  if (typeof body !== 'string') return undefined
  try {
    const parsed = record(JSON.parse(body))
    return parsed?.['kind'] === 'Status' ? parsed : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function record(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? { ...value } : undefined
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

function oneLine(message: string): string {
  const line = message.replace(/\s+/g, ' ').trim()
  return line.length > 300 ? `${line.slice(0, 297)}...` : line
}

const networkReasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  UND_ERR_SOCKET: 'connection closed',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name cannot be looked up now',
  ETIMEDOUT: 'connection timed out',
  UND_ERR_CONNECT_TIMEOUT: 'connection timed out',
}

const certificateReasons: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired (k3s renews its certificates when it restarts)',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is not signed by the authority in the kubeconfig',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is not signed by the authority in the kubeconfig',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is not signed by the authority in the kubeconfig',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is not signed by the authority in the kubeconfig',
}

/** `fetch failed` says nothing; the reason is somewhere below it. */
function unreachable(error: Error, call: ApiCall, place: Place): ApiFailure {
  const code = codeBelow(error)
  const certificate = certificateReasons[code ?? ''] ?? tlsReason(code)
  const reason = certificate ?? networkReasons[code ?? ''] ?? code ?? 'the connection failed'
  return new ApiFailure(`cannot reach ${place.server}: ${reason} (${callSentence(call)})`, null, {
    exitCode: exitCode.unexpected,
    hint:
      certificate === undefined
        ? `see whether the server is up: curl -k ${place.server}/version`
        : `compare certificate-authority-data of context ${place.context} with the server's`,
    transient: certificate === undefined,
  })
}

function tlsReason(code: string | undefined): string | undefined {
  if (code?.startsWith('ERR_OSSL_') === true)
    return `the client certificate or key in the kubeconfig cannot be used (${code})`
  return code?.startsWith('ERR_SSL_') === true ? `TLS failed (${code})` : undefined
}

function codeBelow(error: unknown, depth = 0): string | undefined {
  if (!(error instanceof Error) || depth > 5) return undefined
  if ('code' in error && typeof error.code === 'string') return error.code
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined
  return codeBelow(error.cause, depth + 1) ?? codeBelow(first, depth + 1)
}
