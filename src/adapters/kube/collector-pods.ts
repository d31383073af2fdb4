import { randomBytes } from 'node:crypto'
import { Writable } from 'node:stream'
import { CoreV1Api, Exec, type KubeConfig, type V1Pod, type V1Status } from '@kubernetes/client-node'
import { z } from 'zod'
import { maxBundleBytes } from '../../core/bundle.ts'
import { exitCode, MigrateError } from '../../core/errors.ts'
import { parseObject, text } from '../../core/kube-raw.ts'
import { systemClock } from '../clock.ts'
import { collectorScript } from '../collector.ts'
import type { Api } from './api.ts'
import { ApiFailure, saysNotFound } from './failure.ts'

export interface CollectorPodOptions {
  /** Any image with `sh`, `sleep` and `chroot`. */
  readonly image: string
  /** Who made the pod, for whoever finds it: `kim@laptop`. */
  readonly owner: string
  /** For one node: from creating the pod to the end of the archive. */
  readonly timeoutMs: number
  /** The collector begins now: until then the pod was on its way. */
  readonly onStart?: () => void
}

/** The collector in a pod on a node, for clusters whose nodes nobody reaches over SSH. */
export interface CollectorPods {
  /** The archive of a node. The pod is gone when this returns or fails, also after the signal. */
  collect(node: string, options: CollectorPodOptions, signal: AbortSignal): Promise<Uint8Array>
  /** Removes pods that a killed run left behind: those of this owner, and all that are older than any run takes. */
  cleanUp(
    owner: string,
    signal: AbortSignal,
  ): Promise<{ readonly removed: readonly string[]; readonly left: readonly string[] }>
}

// Where privileged pods may run in most clusters.
const namespace = 'kube-system'
const label = 'k3os-migrate/collector'
const ownerAnnotation = 'k3os-migrate/owner'
const container = 'collector'
/** The kubelet ends the pod by itself after this, whatever happens to us. */
const deadlineSeconds = 900
const pollMs = 1000
const removalMs = 15_000

export function collectorPods(api: Api, config: KubeConfig): CollectorPods {
  return {
    async collect(node, options, signal) {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(options.timeoutMs)])
      const late = (error: unknown): unknown =>
        limit.aborted && !signal.aborted
          ? new MigrateError(`${node} did not finish within ${options.timeoutMs / 1000} s`, {
              exitCode: exitCode.io,
              hint: 'give it more time: --timeout 5m',
              cause: error,
            })
          : error
      // Chosen here, so that it can be removed also when the answer to its creation got lost.
      const name = `k3os-migrate-collector-${randomBytes(6).toString('hex')}`
      const removal = async (): Promise<MigrateError | undefined> => {
        try {
          // The signal that stopped us must not stop this.
          await removePod(api, name)
          return undefined
        } catch (error) {
          if (error instanceof MigrateError) return error
          throw error
        }
      }
      try {
        await createPod(api, { name, node, ...options }, limit)
        await untilRunning(api, name, node, limit)
        options.onStart?.()
        const bundle = await execute(config, name, node, limit)
        const left = await removal()
        if (left !== undefined) throw left
        return bundle
      } catch (error) {
        const refused = error instanceof ApiFailure && error.answer !== null && error.answer.status < 500
        const left = refused ? undefined : await removal()
        throw left ?? late(error)
      }
    },

    async cleanUp(owner, signal) {
      const found = await api.list(
        { verb: 'list', resource: 'pods', namespace },
        signal,
        (configuration, page) =>
          new CoreV1Api(configuration).listNamespacedPod({ namespace, labelSelector: label, ...page }),
      )
      const removed: string[] = []
      const left: string[] = []
      for (const { metadata } of found.map((raw) => parseObject('Pod', ownPod, raw))) {
        const madeBy = metadata.annotations?.[ownerAnnotation] ?? 'nobody known'
        const ageMs = Date.now() - metadata.creationTimestamp.getTime()
        if (madeBy === owner || ageMs > deadlineSeconds * 1000) {
          await removePod(api, metadata.name)
          removed.push(`${namespace}/${metadata.name}`)
        } else left.push(`${namespace}/${metadata.name} (of ${madeBy})`)
      }
      return { removed, left }
    },
  }
}

const ownPod = z.object({
  metadata: z.object({
    name: text,
    annotations: z.record(z.string(), z.string()).nullish(),
    creationTimestamp: z.date(),
  }),
})

interface WantedPod extends CollectorPodOptions {
  readonly name: string
  readonly node: string
}

async function createPod(api: Api, pod: WantedPod, signal: AbortSignal): Promise<void> {
  const body = podManifest(pod)
  await api.call(
    { verb: 'create', resource: 'pods', namespace },
    signal,
    (configuration) => new CoreV1Api(configuration).createNamespacedPod({ namespace, body }),
    'once',
  )
}

/**
 * Bound to the node by name, so that neither a cordon nor a full node stops it. Host network, because the node's interfaces are to
 * be seen. Its root is mounted with everything below it, read-only itself; what is mounted below keeps its own mode, and the
 * collector writes nothing.
 */
function podManifest({ name, node, image, owner }: WantedPod): V1Pod {
  return {
    metadata: {
      name,
      namespace,
      labels: { [label]: 'true', 'app.kubernetes.io/managed-by': 'k3os-migrate' },
      annotations: { [ownerAnnotation]: owner },
    },
    spec: {
      nodeName: node,
      hostNetwork: true,
      restartPolicy: 'Never',
      activeDeadlineSeconds: deadlineSeconds,
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      tolerations: [{ operator: 'Exists' }],
      containers: [
        {
          name: container,
          image,
          imagePullPolicy: 'IfNotPresent',
          command: ['sleep', String(deadlineSeconds)],
          // The script is no secret; as an argument of the request it would be too long for some proxies.
          env: [{ name: 'COLLECTOR', value: collectorScript() }],
          securityContext: { privileged: true, runAsUser: 0 },
          volumeMounts: [
            { name: 'host', mountPath: '/host', readOnly: true, mountPropagation: 'HostToContainer' },
          ],
        },
      ],
      volumes: [{ name: 'host', hostPath: { path: '/', type: 'Directory' } }],
    },
  }
}

const podNow = z.object({
  status: z
    .object({
      phase: text.nullish(),
      reason: text.nullish(),
      message: text.nullish(),
      containerStatuses: z
        .array(
          z.object({
            state: z.object({ waiting: z.object({ reason: text.nullish() }).nullish() }).nullish(),
          }),
        )
        .nullish(),
    })
    .nullish(),
})

/** Reasons that waiting does not mend. */
const hopeless =
  /^(ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNeverPull|CreateContainer\w*Error|RunContainerError)$/

async function untilRunning(api: Api, name: string, node: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    const found = await api.call(
      { verb: 'get', resource: 'pods', namespace, name },
      signal,
      (configuration) => new CoreV1Api(configuration).readNamespacedPod({ namespace, name }),
    )
    const { status } = parseObject('Pod', podNow, found)
    if (status?.phase === 'Running') return
    const waiting = status?.containerStatuses?.[0]?.state?.waiting?.reason ?? ''
    const failed = status?.phase === 'Failed' || status?.phase === 'Succeeded'
    if (failed || hopeless.test(waiting))
      throw new MigrateError(
        `the pod on ${node} does not start: ${[waiting, status?.reason, status?.message].filter(Boolean).join(', ') || status?.phase}`,
        {
          exitCode: exitCode.io,
          hint: 'name an image that the node can get, with sh, sleep and chroot: --image',
        },
      )
    await systemClock.sleep(pollMs, signal)
  }
}

/**
 * Through `exec`, never through the pod's log: the archive holds secrets, and the kubelet writes logs to the node's disk.
 */
async function execute(
  config: KubeConfig,
  name: string,
  node: string,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const command = ['sh', '-c', 'exec chroot /host sh -c "$COLLECTOR"']
  const stdout: Buffer[] = []
  let bytes = 0
  let complaint = ''
  const { promise, resolve, reject } = Promise.withResolvers<V1Status>()
  const failed = (why: string, cause?: unknown): MigrateError =>
    new MigrateError(`reading ${node} through the pod ${namespace}/${name} failed: ${why}`, {
      exitCode: exitCode.io,
      hint: `see whether it can be entered: kubectl auth can-i create pods/exec -n ${namespace}`,
      cause,
    })
  const out = new Writable({
    write(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      if (bytes > maxBundleBytes) reject(failed(`it sent more than ${maxBundleBytes} bytes`))
      else stdout.push(chunk)
      done()
    },
  })
  const err = new Writable({
    write(chunk: Buffer, _encoding, done) {
      complaint = (complaint + chunk.toString()).slice(-2000)
      done()
    },
  })
  const onAbort = (): void => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  let close = (): void => undefined
  try {
    signal.throwIfAborted()
    const opening = new Exec(config).exec(namespace, name, container, command, out, err, null, false, resolve)
    // A server that never answers leaves this promise open; the signal ends the wait.
    opening.then(
      (socket) => {
        close = () => socket.close()
        socket.on('close', () => reject(failed('the connection was lost')))
        socket.on('error', (error: unknown) => reject(failed('the connection was lost', error)))
        if (signal.aborted) close()
      },
      (error: unknown) => reject(failed(openingProblem(error), error)),
    )
    const status = await promise
    if (status.status !== 'Success')
      throw failed(lastLine(complaint) || (status.message ?? 'no reason given'))
    return Buffer.concat(stdout)
  } finally {
    signal.removeEventListener('abort', onAbort)
    close()
  }
}

/** `Unexpected server response: 403`; the library's event holds nothing else of use. */
function openingProblem(error: unknown): string {
  const message =
    typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string'
      ? error.message
      : ''
  const [, code] = /server response: (\d+)/.exec(message) ?? []
  if (code === '403') return `no permission to create pods/exec in namespace ${namespace}`
  return code === undefined ? 'the API server opens no connection to it' : `the API server answers ${code}`
}

function lastLine(output: string): string {
  return (output.trimEnd().split('\n').at(-1) ?? '').replaceAll(/[^ -~]/g, '?').slice(0, 200)
}

async function removePod(api: Api, name: string): Promise<void> {
  const signal = AbortSignal.timeout(removalMs)
  try {
    await api.call({ verb: 'delete', resource: 'pods', namespace, name }, signal, (configuration) =>
      new CoreV1Api(configuration).deleteNamespacedPod({ namespace, name, gracePeriodSeconds: 0 }),
    )
  } catch (error) {
    if (saysNotFound(error)) return
    throw new MigrateError(`the pod ${namespace}/${name} could not be removed`, {
      exitCode: exitCode.io,
      hint: `k3os-migrate inventory --clean-up, or: kubectl delete pod -n ${namespace} ${name}`,
      cause: error,
    })
  }
}
