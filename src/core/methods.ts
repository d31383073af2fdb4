import { stepsMs, type Plan, type PlanNode, type StepId } from './plan.ts'

/** How a machine gets its new system. Everything about undoing, windows and prompts follows from what is declared here. */
export interface Method {
  readonly title: string
  /** In order. */
  readonly steps: readonly StepId[]
  /** From this step on there is no undo, only forward; null = undo works until the node is finished (DESIGN L4). */
  readonly pointOfNoReturn: StepId | null
}

/** Before a machine gets its new system, and after it, all methods do the same. */
const before = [
  'check',
  'capture',
  'stage',
  'defuse',
  'steer',
  'cordon',
  'drain',
  'fingerprint',
] as const satisfies readonly StepId[]
const after = [
  'compare',
  'release',
  'join',
  'restore',
  'uncordon',
  'workloads',
  'soak',
] as const satisfies readonly StepId[]

export const methods: Readonly<Record<Plan['method']['kind'], Method>> = {
  command: {
    title: 'a program of yours rebuilds the machine',
    steps: [...before, 'reimage', ...after],
    pointOfNoReturn: 'reimage',
  },
  manual: {
    title: 'you rebuild the machine by hand',
    steps: [...before, 'hand-over', ...after],
    pointOfNoReturn: 'hand-over',
  },
}

const pointsOfNoReturn = new Set(Object.values(methods).map(({ pointOfNoReturn }) => pointOfNoReturn))

/** The step of this node from which on there is only forward; null when each can be undone. */
export function pointOfNoReturn({ steps }: Pick<PlanNode, 'steps'>): StepId | null {
  return steps.find(({ id }) => pointsOfNoReturn.has(id))?.id ?? null
}

/** Steps that only look at a node which takes pods already. */
const watching: ReadonlySet<StepId> = new Set(['workloads', 'soak'])

/** At worst, from the first write to the disk until the node takes pods again; 0 when each step can be undone. */
export function pointOfNoReturnMs(node: PlanNode): number {
  const from = node.steps.findIndex(({ id }) => id === pointOfNoReturn(node))
  return stepsMs(from === -1 ? [] : node.steps.slice(from).filter(({ id }) => !watching.has(id)))
}

/** Who or what rebuilds a machine, for sentences: `by ./rebuild.sh`, `by hand`. */
export function byWhom(method: Plan['method']): string {
  return method.kind === 'command' ? `by ${method.argv.join(' ')}` : 'by hand'
}
