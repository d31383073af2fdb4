import { parseDuration } from '../core/duration.ts'
import { exitCode, MigrateError } from '../core/errors.ts'
import { budgetGuards } from '../core/selector.ts'
import type { Hook, Kube } from '../migrate/ports.ts'
import type { World } from './world.ts'

/** Something that goes wrong in a simulated world because somebody wants to see what happens then. */
export type Fault =
  | { readonly kind: 'api-429' }
  | { readonly kind: 'api-down'; readonly ms: number }
  | { readonly kind: NodeFault; readonly node: string }
  | { readonly kind: 'drain-blocked'; readonly namespace: string; readonly budget: string }

const nodeFaults = [
  'node-does-not-return',
  'node-turns-sick',
  'hook-fails',
  'hook-refuses',
  'data-lost',
] as const
type NodeFault = (typeof nodeFaults)[number]

/** How each is written on a command line; the help of `rehearse` says what each does. */
const faultForms: readonly string[] = [
  'api-429',
  'api-down=SECONDS',
  'drain-blocked=NAMESPACE/BUDGET',
  ...nodeFaults.map((kind) => `${kind}=NODE`),
]

export function parseFault(text: string): Fault {
  const [kind = '', value = ''] = text.split(/=(.*)/s)
  const [, namespace, budget] = /^([^/]+)\/([^/]+)$/.exec(value) ?? []
  if (text === 'api-429') return { kind: 'api-429' }
  if (kind === 'api-down' && /^[1-9]\d*$/.test(value)) return { kind, ms: Number(value) * 1000 }
  if (kind === 'api-down' && value !== '') return { kind, ms: parseDuration(value) }
  if (kind === 'drain-blocked' && namespace !== undefined && budget !== undefined)
    return { kind, namespace, budget }
  const ofNode = nodeFaults.find((one) => one === kind)
  if (ofNode !== undefined && value !== '') return { kind: ofNode, node: value }
  throw new MigrateError(`${JSON.stringify(text)} is not a fault that can be rehearsed`, {
    exitCode: exitCode.usage,
    hint: `one of ${faultForms.join(', ')}`,
  })
}

export interface FaultyPorts {
  readonly kube: Kube
  readonly hook: Hook
}

/** The same ports with these faults. A name the world does not have is a usage error: nothing would go wrong. */
export function withFaults<P extends FaultyPorts>(ports: P, world: World, faults: readonly Fault[]): P {
  const kube = { ...ports.kube }
  const hook = { ...ports.hook }
  for (const fault of faults) injectFault(fault, world, kube, hook)
  return { ...ports, kube, hook }
}

function injectFault(fault: Fault, world: World, kube: Kube, hook: Hook): void {
  const evict = kube.evict.bind(kube)
  const run = hook.run.bind(hook)
  switch (fault.kind) {
    case 'api-429': {
      const asked = new Set<string>()
      kube.evict = async (pod, signal, how) => {
        if (asked.has(pod.uid)) return evict(pod, signal, how)
        asked.add(pod.uid)
        return {
          status: 'throttled',
          message: 'too many requests, please try again later',
          retryAfterMs: 5_000,
        }
      }
      return
    }
    case 'api-down': {
      let begun = false
      kube.evict = async (pod, signal, how) => {
        if (!begun) world.trouble.apiDownUntilMs = world.clock.monotonicMs() + fault.ms
        begun = true
        return evict(pod, signal, how)
      }
      return
    }
    case 'drain-blocked': {
      const name = `${fault.namespace}/${fault.budget}`
      const known = world.source.budgets.map((one) => `${one.namespace}/${one.name}`)
      if (!known.includes(name)) throw unknown('disruption budget', name, known)
      kube.evict = async (target, signal, how) => {
        const pod = world.pods.find(({ uid }) => uid === target.uid)
        const budget = world.budgets().find((one) => `${one.namespace}/${one.name}` === name)
        if (pod === undefined || budget === undefined || !budgetGuards(budget, pod))
          return evict(target, signal, how)
        const message = `The disruption budget ${budget.name} needs ${budget.currentHealthy} healthy pods and has ${budget.currentHealthy} currently`
        return { status: 'blocked', budget: budget.name, message, retryAfterMs: null }
      }
      return
    }
    case 'hook-fails':
    case 'hook-refuses': {
      needsNode(world, fault.node)
      const exit = fault.kind === 'hook-fails' ? 1 : 75
      hook.run = async (argv, options) =>
        options.environment['K3OS_MIGRATE_NODE'] === fault.node
          ? { exitCode: exit, tail: 'it was told to (--fault)' }
          : run(argv, options)
      return
    }
    case 'node-does-not-return':
      needsNode(world, fault.node)
      world.trouble.neverReturns.add(fault.node)
      return
    case 'data-lost':
      needsNode(world, fault.node)
      world.trouble.losesData.add(fault.node)
      return
    case 'node-turns-sick':
      needsNode(world, fault.node)
      world.trouble.turnsSick.add(fault.node)
  }
}

function needsNode(world: World, name: string): void {
  if (world.node(name) === undefined) throw unknown('node', name, [...world.nodes.keys()])
}

function unknown(kind: string, name: string, known: readonly string[]): MigrateError {
  return new MigrateError(`the inventory has no ${kind} ${name} to go wrong`, {
    exitCode: exitCode.usage,
    hint: known.length === 0 ? `it has no ${kind} at all` : `it has ${known.toSorted().join(', ')}`,
  })
}
