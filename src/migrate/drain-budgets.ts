import { MigrateError } from '../core/errors.ts'
import type { PodDisruptionBudget } from '../core/inventory.ts'
import { budgetGuards } from '../core/selector.ts'
import type { Hindrance, LeavingPod } from './drain-pods.ts'

type HeldBack = Extract<Hindrance, { kind: 'budget' }>

/** How often the budgets are read while they hold pods back. */
const everyMs = 5_000

/**
 * Keeps evictions within what each budget allows, so that the pods of one budget do not all ask again and again. The API
 * server decides all the same: of a budget that allows nothing one pod goes on asking, and its answer says why.
 */
export class BudgetCap {
  readonly #read: () => Promise<PodDisruptionBudget[]>
  readonly #onWait: (entry: LeavingPod, why: HeldBack) => void
  /** Which pod asks for all those of its budget. */
  readonly #asking = new Map<string, LeavingPod>()
  /** Once no budget guards any pod of the node, there is nothing to read any more. */
  #isNeeded = true

  constructor(
    read: () => Promise<PodDisruptionBudget[]>,
    onWait: (entry: LeavingPod, why: HeldBack) => void,
  ) {
    this.#read = read
    this.#onWait = onWait
  }

  /** Those of `due` that may be asked for now, in order; the others wait, and know what for. */
  async within(due: readonly LeavingPod[], nowMs: number): Promise<LeavingPod[]> {
    if (due.length === 0 || !this.#isNeeded) return [...due]
    const budgets = await this.#budgets()
    if (budgets === undefined) return [...due]
    const left = new Map(budgets.map((budget) => [keyOf(budget), budget.disruptionsAllowed]))
    let guarded = 0
    const chosen = due.filter((entry) => {
      const own = budgets.filter((budget) => budgetGuards(budget, entry.pod))
      guarded += own.length
      const [budget, another] = own
      // None, or a pod that takes nothing from it, or too many: that is for the server to say.
      if (budget === undefined || another !== undefined || !entry.pod.ready) return true
      if (this.#mayAsk(entry, budget, left)) return true
      const why = heldBy(budget)
      if (entry.hindrance?.kind !== 'budget') this.#onWait(entry, why)
      entry.hindrance = why
      entry.notBeforeMs = nowMs + everyMs
      return false
    })
    this.#isNeeded = guarded > 0
    return chosen
  }

  #mayAsk(entry: LeavingPod, budget: PodDisruptionBudget, left: Map<string, number>): boolean {
    const key = keyOf(budget)
    const allowed = left.get(key) ?? 0
    if (allowed > 0) {
      left.set(key, allowed - 1)
      return true
    }
    if (budget.disruptionsAllowed > 0) return false
    const asking = this.#asking.get(key)
    const isBusy = asking !== undefined && asking !== entry && !asking.gone && !asking.pod.terminating
    if (isBusy) return false
    this.#asking.set(key, entry)
    return true
  }

  /** undefined when they cannot be read: then every pod asks, as if nobody knew of budgets. */
  async #budgets(): Promise<PodDisruptionBudget[] | undefined> {
    try {
      return await this.#read()
    } catch (error) {
      if (error instanceof MigrateError) return undefined
      throw error
    }
  }
}

function keyOf({ namespace, name }: PodDisruptionBudget): string {
  return `${namespace}/${name}`
}

function heldBy(budget: PodDisruptionBudget): HeldBack {
  const { name, desiredHealthy, currentHealthy } = budget
  return {
    kind: 'budget',
    budget: keyOf(budget),
    numbers: { needed: desiredHealthy, current: currentHealthy },
    message: `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`,
  }
}
