import { exitCode, MigrateError } from '../../core/errors.ts'
import { releasePath } from '../../core/node-paths.ts'
import type { KubeNode } from '../../core/inventory.ts'
import type { Step, StepContext } from '../step.ts'
import { persist, waitUntil } from '../wait.ts'
import { baseline, staged } from './baseline.ts'
import { readAnyNode } from './check.ts'
import { readHostFile, stepTimeout } from './rebuilt.ts'

/** Opens the gate that holds k3s back, now that the data is proven to be in place (DESIGN 6.4). */
export const release: Step = {
  id: 'release',
  async intent(context) {
    return { nonce: staged(context).nonce }
  },
  async actions(context, intent) {
    const nonce = String(intent['nonce'])
    return [
      {
        describe: `write ${releasePath} on ${context.node.name}: k3s may start`,
        async run(signal) {
          const { host, node } = context
          const address = { name: node.name, ...node.address }
          await persist(context, `${releasePath} is written`, stepTimeout(context, 'release'), async () =>
            host.writeFile(address, releasePath, `${nonce}\n`, signal),
          )
        },
      },
    ]
  },
  async observe(context, intent) {
    const content = (await readHostFile(context, releasePath))?.trim()
    return content === String(intent['nonce']) ? 'done' : 'not-started'
  },
}

/** How many times in a row, and how far apart, the node must look right (rolling-migration 8). */
export const series = { times: 3, everyMs: 10_000 }

/** The node controller says with these what the conditions of a node say: pressure, no network, not initialized. */
const sickTaints =
  /^node(?:\.cloudprovider)?\.kubernetes\.io\/(?:not-ready|unreachable|memory-pressure|disk-pressure|pid-pressure|network-unavailable|uninitialized)$/

/** A heartbeat older than this is no sign of life: a dead node looks Ready for a while. */
export const heartbeatLimitSeconds = 40

/** Same machine, new boot, new system, Ready with a fresh heartbeat, several times in a row. */
export const join: Step = {
  id: 'join',
  async intent(context) {
    const { bootId, systemUuid, osImage, kubeletVersion, podCidr } = baseline(context)
    return { bootIdBefore: bootId, systemUuid, osImageBefore: osImage, kubeletVersion, podCidr }
  },
  async actions(context) {
    const { name } = context.node
    return [
      {
        describe: `wait until ${name} is Ready under its old name with a new boot ID and system`,
        async run() {
          await waitUntil(context, {
            until: `${name} is Ready again`,
            timeoutMs: stepTimeout(context, 'join'),
            ...series,
            exit: exitCode.needsOperator,
            hint: `kubectl describe node ${name}; on the node: journalctl -u 'k3s*'; then: k3os-migrate resume ${context.runId}`,
            check: async () => notJoined(context),
          })
          await refuseOtherMachine(context)
        },
      },
    ]
  },
  async proof(context) {
    const now = await readAnyNode(context)
    return {
      nonce: staged(context).nonce,
      systemUuid: now.systemUuid,
      bootIdBefore: baseline(context).bootId,
      bootIdAfter: now.bootId,
      osImageBefore: baseline(context).osImage,
      osImageAfter: now.osImage,
      kubeletVersion: now.kubeletVersion,
    }
  },
}

async function notJoined(context: StepContext): Promise<string | undefined> {
  const before = baseline(context)
  const now = await readAnyNode(context)
  if (now.bootId === before.bootId) return 'the Node object still shows the boot before the move'
  if (now.osImage.startsWith('k3OS')) return `the Node object still says ${now.osImage}`
  if (!now.ready) return 'it is not Ready'
  const sick = now.taints.find(({ key }) => sickTaints.test(key))
  if (sick !== undefined) return `it carries the taint ${sick.key}`
  const age = await context.kube.heartbeatAgeSeconds(context.node.name, context.signal)
  if (age === null || age > heartbeatLimitSeconds) return `its last heartbeat is ${age ?? 'unknown'} s old`
  return undefined
}

/** What waiting cannot mend: another machine, another k3s, another pod network under the kept Node object. */
async function refuseOtherMachine(context: StepContext): Promise<void> {
  const before = baseline(context)
  const now = await readAnyNode(context)
  const differences = [
    differs('Node UID', context.node.fingerprint.nodeUid, now.uid),
    differs('system UUID', before.systemUuid, now.systemUuid),
    differs('kubelet version', before.kubeletVersion, now.kubeletVersion),
    differs('InternalIP', before.internalIps.join(', '), internalIpsOf(now)),
    differs('pod CIDR', before.podCidr ?? 'none', now.podCidr ?? 'none'),
  ].filter((difference) => difference !== undefined)
  if (differences.length === 0) return
  throw new MigrateError(
    `${context.node.name} came back different: ${differences.join('; ')}; it stays cordoned`,
    {
      exitCode: exitCode.postCheckFailed,
      hint: `find out why, then: k3os-migrate resume ${context.runId}`,
    },
  )
}

function internalIpsOf({ addresses }: KubeNode): string {
  return addresses
    .filter(({ type }) => type === 'InternalIP')
    .map(({ address }) => address)
    .join(', ')
}

function differs(what: string, before: string, now: string): string | undefined {
  return before === now ? undefined : `${what} ${now} instead of ${before}`
}
