import { stepsMs, type Plan, type PlanNode, type StepId } from './plan.ts'

/** How a machine gets its new system. Everything about undoing, windows and prompts follows from what is declared here. */
export interface Method {
  readonly title: string
  /** In order. */
  readonly steps: readonly StepId[]
  /** The machine goes down: from here until it takes pods again must fit into a maintenance window. */
  readonly downFrom: StepId
  /** From this step on a failure stops the run; before it, everything is undone. */
  readonly forwardFrom: StepId
  /** Whether something leads back after that: `revert`, until `finalize` (DESIGN L4). */
  readonly canRevert: boolean
}

/** Before a machine gets its new system, and after it, all methods do the same. */
const toDrained = ['defuse', 'steer', 'cordon', 'drain'] as const satisfies readonly StepId[]
const before = ['check', 'capture', 'stage', ...toDrained, 'fingerprint'] as const satisfies readonly StepId[]
const toJoined = ['compare', 'release', 'join'] as const satisfies readonly StepId[]
const after = ['restore', 'uncordon', 'workloads', 'soak'] as const satisfies readonly StepId[]

export const methods: Readonly<Record<Plan['method']['kind'], Method>> = {
  command: {
    title: 'a program of yours rebuilds the machine',
    steps: [...before, 'reimage', ...toJoined, ...after],
    downFrom: 'reimage',
    forwardFrom: 'reimage',
    canRevert: false,
  },
  manual: {
    title: 'you rebuild the machine by hand',
    steps: [...before, 'hand-over', ...toJoined, ...after],
    downFrom: 'hand-over',
    forwardFrom: 'hand-over',
    canRevert: false,
  },
  'in-place': {
    title: 'the new system is put beside k3OS and booted on trial',
    // The data is looked at between the two restarts: nothing writes after that.
    steps: [
      'check',
      'capture',
      'stage',
      'place',
      ...toDrained,
      'probe',
      'fingerprint',
      'trial',
      ...toJoined,
      'confirm',
      ...after,
    ],
    downFrom: 'probe',
    forwardFrom: 'confirm',
    canRevert: true,
  },
}

/** The way of `revert`, from a system beside k3OS back to it. */
export const revertSteps: Method['steps'] = [
  'capture',
  'cordon',
  'drain',
  'fingerprint',
  'return',
  'compare',
  'uncordon',
  'workloads',
]
const ways = [...Object.values(methods), { downFrom: 'return', forwardFrom: 'return' } as const]

type Steps = Pick<PlanNode, 'steps'>

/** The step of this node from which on a failure stops the run; null when each is undone. */
export function forwardFrom({ steps }: Steps): StepId | null {
  return firstOf(steps, 'forwardFrom')
}

/** The step in which the machine goes down first. */
export function downFrom({ steps }: Steps): StepId | null {
  return firstOf(steps, 'downFrom')
}

function firstOf(steps: PlanNode['steps'], which: 'forwardFrom' | 'downFrom'): StepId | null {
  const known = new Set<StepId>(ways.map((way) => way[which]))
  return steps.find(({ id }) => known.has(id))?.id ?? null
}

/** Whether the machine runs a system that it leaves by itself unless it is confirmed. */
export function isOnTrial({ steps }: Steps, step: StepId): boolean {
  const ids = steps.map(({ id }) => id)
  const trial = ids.indexOf('trial')
  return trial !== -1 && ids.indexOf(step) > trial && ids.indexOf(step) <= ids.indexOf('confirm')
}

/** Steps that only look at a node which takes pods already. */
const watching: ReadonlySet<StepId> = new Set(['workloads', 'soak'])

/** At worst, from the moment the machine goes down until it takes pods again. */
export function downMs(node: PlanNode): number {
  return worstMs(node, downFrom(node))
}

/** At worst, as long as a failure stops the run and undoes nothing; 0 where each step is undone. */
export function forwardMs(node: PlanNode): number {
  return worstMs(node, forwardFrom(node))
}

function worstMs({ steps }: Steps, from: StepId | null): number {
  const at = steps.findIndex(({ id }) => id === from)
  return stepsMs(at === -1 ? [] : steps.slice(at).filter(({ id }) => !watching.has(id)))
}

/** Who or what rebuilds a machine, for sentences: `by ./rebuild.sh`, `by hand`. */
export function byWhom(method: Plan['method']): string {
  switch (method.kind) {
    case 'command':
      return `by ${method.argv.join(' ')}`
    case 'manual':
      return 'by hand'
    case 'in-place':
      return `in place, with ${method.tree.title} beside k3OS`
  }
}
