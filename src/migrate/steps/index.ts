import type { StepId } from '../../core/plan.ts'
import type { Step } from '../step.ts'
import { capture } from './capture.ts'
import { check } from './check.ts'
import { cordon, uncordon } from './cordon.ts'
import { defuse } from './defuse.ts'
import { drain } from './drain.ts'
import { compare, fingerprint } from './fingerprint.ts'
import { handOver } from './hand-over.ts'
import { join, release } from './join.ts'
import { reimage } from './reimage.ts'
import { restore } from './restore.ts'
import { soak } from './soak.ts'
import { stage } from './stage.ts'
import { steer } from './steer.ts'
import { workloads } from './workloads.ts'

/** Every step by its id. The order is the plan's. */
export const steps: Readonly<Record<StepId, Step>> = {
  check,
  capture,
  stage,
  defuse,
  steer,
  cordon,
  drain,
  fingerprint,
  reimage,
  'hand-over': handOver,
  compare,
  release,
  join,
  restore,
  uncordon,
  workloads,
  soak,
}
