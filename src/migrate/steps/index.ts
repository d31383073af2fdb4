import type { StepId } from '../../core/plan.ts'
import type { Step } from '../step.ts'
import { capture } from './capture.ts'
import { check } from './check.ts'
import { cordon, uncordon } from './cordon.ts'
import { defuse } from './defuse.ts'
import { drain } from './drain.ts'
import { confirm } from './confirm.ts'
import { compare, fingerprint } from './fingerprint.ts'
import { handOver } from './hand-over.ts'
import { join, release } from './join.ts'
import { place } from './place.ts'
import { probe } from './probe.ts'
import { reimage } from './reimage.ts'
import { restore } from './restore.ts'
import { goBack } from './return.ts'
import { soak } from './soak.ts'
import { stage } from './stage.ts'
import { steer } from './steer.ts'
import { trial } from './trial.ts'
import { workloads } from './workloads.ts'

/** Every step by its id. The order is the plan's. */
export const steps: Readonly<Record<StepId, Step>> = {
  check,
  capture,
  stage,
  place,
  defuse,
  steer,
  cordon,
  drain,
  probe,
  fingerprint,
  reimage,
  'hand-over': handOver,
  trial,
  return: goBack,
  compare,
  release,
  join,
  confirm,
  restore,
  uncordon,
  workloads,
  soak,
}
