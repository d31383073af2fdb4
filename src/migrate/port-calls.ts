import type {
  BudgetReader,
  ClusterReader,
  Hook,
  Host,
  HostControl,
  Kube,
  NodeLister,
  RunFiles,
} from './ports.ts'
import type { StepPorts } from './step.ts'

/** `changes`: something in the world or on the disk is another one afterwards. */
export type Effect = 'reads' | 'changes'

type Effects<Port> = {
  readonly [Name in keyof Port as Port[Name] extends (...args: never[]) => unknown ? Name : never]: Effect
}

/** What each request of a step does. Whoever adds one has to say it here: locks and fault tests go by this. */
export const effects: {
  readonly kube: Effects<Kube>
  readonly reader: Effects<ClusterReader & NodeLister & BudgetReader>
  readonly host: Effects<Host & HostControl>
  readonly hook: Effects<Hook>
  readonly files: Effects<Pick<RunFiles, 'write' | 'remove' | 'read' | 'digest'>>
} = {
  kube: {
    node: 'reads',
    podsOnNode: 'reads',
    restarts: 'reads',
    daemonSetExists: 'reads',
    patchNode: 'changes',
    evict: 'changes',
    heartbeatAgeSeconds: 'reads',
    attachedVolumes: 'reads',
    clusterUid: 'reads',
    controller: 'reads',
    switchController: 'changes',
  },
  reader: { nodes: 'reads', workloads: 'reads', claims: 'reads', budgets: 'reads', read: 'reads' },
  host: {
    collect: 'reads',
    readFile: 'reads',
    writeFile: 'changes',
    fingerprint: 'reads',
    askInPlace: 'reads',
    actInPlace: 'changes',
  },
  hook: { run: 'changes' },
  files: { write: 'changes', remove: 'changes', read: 'reads', digest: 'reads' },
}

export interface PortCall {
  readonly port: keyof typeof effects
  readonly method: string
  readonly effect: Effect
  readonly args: readonly unknown[]
}

/** Stands around every request: may wait, refuse, or fail before or after it is sent. */
export type Around = (call: PortCall, send: () => Promise<unknown>) => Promise<unknown>

/** The same ports with something around each request. */
export function withAround<P extends StepPorts>(ports: P, around: Around): P {
  const wrapped: P = { ...ports }
  for (const port of ['kube', 'reader', 'host', 'hook', 'files'] as const) {
    const target: object = ports[port]
    const methods = Object.entries<Effect>(effects[port]).map(([method, effect]) => [
      method,
      async (...args: unknown[]) =>
        around({ port, method, effect, args }, async () => Reflect.get(target, method).apply(target, args)),
    ])
    Object.assign(wrapped, { [port]: { ...target, ...Object.fromEntries(methods) } })
  }
  return wrapped
}
