import type { Plan, PlanNode, StepId } from '../core/plan.ts'
import type { Translation } from '../core/translation.ts'
import type { PodNews } from './drain-events.ts'
import type {
  BudgetReader,
  Clock,
  ClusterReader,
  Hook,
  Host,
  HostControl,
  Kube,
  NodeLister,
  RootTrees,
  RunFiles,
} from './ports.ts'

/** What a reimage method gets: the files, and how they reach the machine. */
export type Rendered = Pick<Translation, 'files' | 'delivery'>

/** A sentence and the function that makes it true. Dry run prints the sentences, a real run calls the functions. */
export interface Action {
  readonly describe: string
  run(signal: AbortSignal): Promise<void>
}

/** What the world shows after a crash. `in-progress`: begun and not ended, waiting is right. */
export type Observed = 'not-started' | 'in-progress' | 'done' | 'unknown'

/** JSON data with the old values that undo needs; journaled and fsynced before anything is done. */
export type Intent = Readonly<Record<string, unknown>>

export interface Step {
  readonly id: StepId
  /**
   * Reads only. The truth after a crash, and the proof after acting. Absent for a step that only looks itself: after a
   * crash it looks again as if it had never begun.
   */
  observe?(context: StepContext, intent: Intent): Promise<Observed>
  intent(context: StepContext): Promise<Intent>
  /** Empty when there is nothing to do. */
  actions(context: StepContext, intent: Intent): Promise<Action[]>
  /** Absent when there is nothing to undo, and from the point of no return on. */
  undo?(context: StepContext, intent: Intent): Promise<Action[]>
  /** Facts for the result record: what was proven. */
  proof?(context: StepContext, intent: Intent): Promise<Readonly<Record<string, unknown>>>
}

export interface StepPorts {
  readonly kube: Kube
  /** The same cluster as a whole, for what concerns more than one node. */
  readonly reader: ClusterReader & NodeLister & BudgetReader
  readonly host: Host & HostControl
  readonly hook: Hook
  readonly trees: RootTrees
  readonly clock: Clock
  readonly files: RunFiles
}

export interface StepContext extends StepPorts {
  readonly plan: Plan
  readonly node: PlanNode
  readonly runId: string
  readonly attempt: number
  /** Ends at the step's timeout. */
  readonly signal: AbortSignal
  /** Ends when the user wants to stop: waiting stops, an action under way is finished. */
  readonly stop: AbortSignal
  /** The journaled intent of an earlier step of this attempt. */
  earlier(step: StepId): Intent
  /** The node's configuration for the target, carrying this nonce. */
  translate(nonce: string): Promise<Rendered>
  /** What is being waited for; said again as a heartbeat when half a minute has passed and nothing has changed. */
  progress(message: string, isHeartbeat?: boolean): void
  /** What became of one pod of a drain. */
  podNews(news: PodNews): void
}
