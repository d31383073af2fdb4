import type { ServerResponse } from 'node:http'
import {
  type Listening,
  listen,
  listOf,
  ok,
  reply,
  status,
  type StubAnswer,
  type StubRequest,
} from './api-stub.ts'
import { openApiDocument } from './stub-openapi.ts'
import { type ScriptedPod, StubPods } from './stub-pods.ts'

/** What the server says instead of doing what it is asked; `forever` for every further request as well. */
export type Refusal =
  | {
      readonly code: number
      readonly reason?: string
      readonly message: string
      readonly details?: object
      /** Header, in seconds. */
      readonly retryAfter?: number
      readonly forever?: boolean
    }
  | { readonly connection: 'reset' | 'hang'; readonly forever?: boolean }

/** Refusals by request: `cordon n1`, `list 2` (page), `get shop/a`, `evict shop/a`, `delete shop/a`, `daemonset shop/a`. */
export type Refusals = Readonly<Record<string, readonly Refusal[]>>

export interface ClusterScript {
  /** n1 and n2 unless said otherwise. */
  readonly nodes?: readonly string[]
  readonly cordoned?: readonly string[]
  readonly pods: readonly ScriptedPod[]
  /** DaemonSets that exist, as `namespace/name`. */
  readonly daemonSets?: readonly string[]
  /** Versions of the group policy, the preferred one first; none: no evictions are served. Both unless said otherwise. */
  readonly policy?: readonly ('v1' | 'v1beta1')[]
  readonly pageSize?: number
  readonly refusals?: Refusals
  /** Come into force with the first accepted eviction. */
  readonly refusalsWhileWaiting?: Refusals
  /** On their node from the first accepted eviction on. */
  readonly arriving?: readonly ScriptedPod[]
}

export interface StubCluster extends Pick<Listening, 'kubeconfig' | 'requests' | 'end'> {
  readonly pods: StubPods
  /** Requests to change something, in order, bodies reduced to what matters: `evict shop/a grace 30 dry-run`. */
  readonly changes: readonly string[]
  readonly cordoned: ReadonlySet<string>
  /** Called at the first eviction that is refused. */
  onRefusedEviction: () => void
}

interface Exchange {
  readonly request: StubRequest
  readonly path: string
  readonly query: URLSearchParams
  readonly match: RegExpExecArray
}

/** An API server that keeps nodes and pods, lets pods end, and refuses what its script says. The caller ends it. */
export async function startStubCluster(script: ClusterScript): Promise<StubCluster> {
  const pods = new StubPods(script.pods)
  const nodes = script.nodes ?? ['n1', 'n2']
  const cordoned = new Set(script.cordoned)
  const policy: readonly string[] = script.policy ?? ['v1', 'v1beta1']
  const changes: string[] = []
  const annotations = new Map(nodes.map((name) => [name, {}]))
  const refusals = new Map(Object.entries(script.refusals ?? {}).map(([what, list]) => [what, [...list]]))
  let waiting = false

  function refuse(what: string): Refusal | undefined {
    const [refusal] = refusals.get(what) ?? []
    if (refusal?.forever !== true) refusals.get(what)?.shift()
    return refusal
  }

  function accepted(): void {
    if (waiting) return
    waiting = true
    for (const [what, list] of Object.entries(script.refusalsWhileWaiting ?? {}))
      refusals.set(what, [...list])
    for (const pod of script.arriving ?? []) pods.add(pod)
  }

  function nodeObject(name: string): object {
    const spec = cordoned.has(name) ? { unschedulable: true } : {}
    const metadata = { name, uid: `uid-${name}`, annotations: annotations.get(name) }
    return { apiVersion: 'v1', kind: 'Node', metadata, spec, status: {} }
  }

  function patchNode({ request, query, match }: Exchange): StubAnswer {
    const name = match[1] ?? ''
    const patch = request.body as { metadata?: { annotations?: object }; spec?: { unschedulable?: boolean } }
    const unschedulable = patch.spec?.unschedulable
    const dryRun = query.get('dryRun') === 'All'
    changes.push(`${unschedulable === true ? 'cordon' : 'uncordon'} ${name}${dryRun ? ' dry-run' : ''}`)
    const refusal = refuse(`cordon ${name}`)
    if (refusal !== undefined) return answerOf(refusal)
    if (!dryRun) {
      if (unschedulable === true) cordoned.add(name)
      else cordoned.delete(name)
      const merged = Object.entries({ ...annotations.get(name), ...patch.metadata?.annotations })
      annotations.set(name, Object.fromEntries(merged.filter(([, value]) => value !== null)))
    }
    return ok(nodeObject(name))
  }

  function listPods({ query }: Exchange): StubAnswer {
    const start = Number(query.get('continue') ?? 0)
    const asked = Number(query.get('limit') ?? Infinity)
    const size = Math.min(asked, query.has('limit') ? (script.pageSize ?? asked) : asked)
    const refusal = refuse(`list ${Math.floor(start / size) + 1}`)
    if (refusal !== undefined) return answerOf(refusal)
    const node = /^spec\.nodeName=(.*)$/.exec(query.get('fieldSelector') ?? '')?.[1]
    const all = pods.on(node, query.get('labelSelector'))
    const end = start + size
    return listOf('Pod', all.slice(start, end), end < all.length ? String(end) : undefined)
  }

  function end({ request, match }: Exchange, verb: 'evict' | 'delete'): StubAnswer {
    const [, namespace, name] = match
    const key = `${namespace}/${name}`
    const options = deleteOptions(request, verb)
    changes.push(`${verb} ${key}${options.grace}${options.dryRun ? ' dry-run' : ''}`)
    const refusal = refuse(`${verb} ${key}`)
    if (refusal !== undefined) {
      pods.refused(key)
      cluster.onRefusedEviction()
      return answerOf(refusal)
    }
    const pod = pods.get(key)
    if (pod === undefined) return notFound('pods', name)
    if (options.uid !== undefined && options.uid !== pod.uid)
      return status(
        409,
        'Conflict',
        `Precondition failed: UID in precondition: ${options.uid}, UID in object meta: ${pod.uid}`,
      )
    if (!options.dryRun) {
      pods.end(key)
      accepted()
    }
    return verb === 'evict' ? { status: 201, body: success } : ok(pod.manifest)
  }

  function evict(exchange: Exchange): StubAnswer | undefined {
    const { apiVersion } = exchange.request.body as { apiVersion?: string }
    const known = apiVersion === undefined || policy.includes(apiVersion.replace('policy/', ''))
    if (policy.length > 0 && known) return end(exchange, 'evict')
    changes.push(`evict ${exchange.match[1]}/${exchange.match[2]}`)
    return policy.length === 0
      ? undefined
      : status(400, 'BadRequest', `no kind "Eviction" is registered for version "${apiVersion}"`)
  }

  function getPod({ match }: Exchange): StubAnswer {
    const key = `${match[1]}/${match[2]}`
    const refusal = refuse(`get ${key}`)
    if (refusal !== undefined) return answerOf(refusal)
    const pod = pods.read(key)
    return pod === undefined ? notFound('pods', match[2]) : ok(pod.manifest)
  }

  function getDaemonSet({ match }: Exchange): StubAnswer {
    const [, namespace, name] = match
    const key = `${namespace}/${name}`
    const refusal = refuse(`daemonset ${key}`)
    if (refusal !== undefined) return answerOf(refusal)
    if (script.daemonSets?.includes(key) !== true) return notFound('daemonsets.apps', name)
    return ok({
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name, namespace, uid: `uid-${name}` },
      spec: {},
    })
  }

  const routes: readonly (readonly [RegExp, (exchange: Exchange) => StubAnswer | undefined])[] = [
    [
      /^GET \/version$/,
      () => ok({ major: '1', minor: '24', gitVersion: 'v1.24.17', platform: 'linux/amd64' }),
    ],
    [/^GET \/api$/, () => ok({ kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] })],
    [/^GET \/openapi\/v2$/, () => (response) => response.writeHead(200).end(openApiDocument)],
    [/^GET \/apis$/, () => ok(groupList(policy))],
    [/^GET \/api\/v1$/, () => ok(coreResources(policy))],
    [/^GET \/apis\/apps\/v1$/, () => ok(resourceList('apps/v1', [resource('daemonsets', 'DaemonSet')]))],
    [
      /^GET \/apis\/policy\/(v1|v1beta1)$/,
      ({ match: [, version = ''] }) => (policy.includes(version) ? ok(policyResources(version)) : undefined),
    ],
    [/^GET \/api\/v1\/nodes$/, () => listOf('Node', nodes.map(nodeObject))],
    [
      /^GET \/api\/v1\/nodes\/(.+)$/,
      ({ match }) => {
        const name = match[1] ?? ''
        return nodes.includes(name) ? ok(nodeObject(name)) : notFound('nodes', name)
      },
    ],
    [/^PATCH \/api\/v1\/nodes\/(.+)$/, patchNode],
    [/^GET \/api\/v1\/pods$/, listPods],
    [/^GET \/apis\/storage\.k8s\.io\/v1\/volumeattachments$/, () => listOf('VolumeAttachment', [])],
    [/^GET \/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)$/, getPod],
    [/^DELETE \/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)$/, (exchange) => end(exchange, 'delete')],
    [/^POST \/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/eviction$/, evict],
    [/^GET \/apis\/apps\/v1\/namespaces\/([^/]+)\/daemonsets\/([^/]+)$/, getDaemonSet],
  ]

  function handle(request: StubRequest, response: ServerResponse): void {
    const { pathname: path, searchParams: query } = new URL(request.path, 'http://stub')
    for (const [pattern, route] of routes) {
      const match = pattern.exec(`${request.method} ${path}`)
      if (match !== null) {
        reply(response, route({ request, path, query, match }))
        return
      }
    }
    reply(response, undefined)
  }

  const { kubeconfig, requests, end: stop } = await listen(handle)
  const cluster: StubCluster = {
    kubeconfig,
    requests,
    pods,
    changes,
    cordoned,
    onRefusedEviction: () => {},
    async end() {
      pods.stop()
      await stop()
    },
  }
  return cluster
}

const success = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }

function answerOf(refusal: Refusal): StubAnswer {
  if ('connection' in refusal)
    return refusal.connection === 'reset' ? (response) => response.destroy() : () => {}
  const { code, reason = 'InternalError', message, details, retryAfter } = refusal
  return status(code, reason, message, {
    ...(details === undefined ? {} : { details }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  })
}

function notFound(kind: string, name: string | undefined): StubAnswer {
  return status(404, 'NotFound', `${kind} "${name}" not found`, { details: { name, kind } })
}

/** Newer kubectls send the options of a deletion as protobuf, of which only the words of a dry run are looked for. */
function deleteOptions(
  { body }: StubRequest,
  verb: 'evict' | 'delete',
): { readonly grace: string; readonly dryRun: boolean; readonly uid: string | undefined } {
  if (Buffer.isBuffer(body)) return { grace: '', dryRun: body.includes('All'), uid: undefined }
  const options = (verb === 'evict' ? (body as { deleteOptions?: unknown }).deleteOptions : body) as {
    gracePeriodSeconds?: number
    dryRun?: string[]
    preconditions?: { uid?: string }
  }
  const grace = options?.gracePeriodSeconds
  return {
    grace: grace === undefined ? '' : ` grace ${grace}`,
    dryRun: options?.dryRun?.includes('All') ?? false,
    uid: options?.preconditions?.uid,
  }
}

function groupList(policy: readonly string[]): object {
  const group = (name: string, versions: readonly string[]) => {
    const all = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }))
    return { name, versions: all, preferredVersion: all[0] }
  }
  const groups = [group('apps', ['v1']), ...(policy.length === 0 ? [] : [group('policy', policy)])]
  return { kind: 'APIGroupList', apiVersion: 'v1', groups }
}

function resource(name: string, kind: string, more: object = {}): object {
  return { name, singularName: '', namespaced: true, kind, verbs: ['get', 'list'], ...more }
}

function resourceList(groupVersion: string, resources: readonly object[]): object {
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources }
}

function coreResources([version]: readonly string[]): object {
  const eviction = resource('pods/eviction', 'Eviction', { group: 'policy', version, verbs: ['create'] })
  return resourceList('v1', [
    resource('nodes', 'Node', { namespaced: false, shortNames: ['no'] }),
    resource('pods', 'Pod'),
    ...(version === undefined ? [] : [eviction]),
  ])
}

function policyResources(version: string): object {
  return resourceList(`policy/${version}`, [resource('poddisruptionbudgets', 'PodDisruptionBudget')])
}
