import { exitCode, MigrateError } from '../../core/errors.ts'
import { noncePath } from '../../core/node-paths.ts'
import { closedWindow } from '../../core/plan-window.ts'
import { offsetAt } from '../../core/time-zone.ts'
import type { Observed, Step, StepContext } from '../step.ts'
import { NothingTouched } from '../nothing-touched.ts'
import { waitUntil, windowError } from '../wait.ts'
import { staged } from './baseline.ts'
import { marker, markerValue, readNode } from './check.ts'

/** What is the same whoever rebuilds a machine: the last look before, and the proof afterwards. */

const bootIdPath = '/proc/sys/kernel/random/boot_id'

export async function readBootId(context: StepContext): Promise<string> {
  const bootId = (await readHostFile(context, bootIdPath))?.trim()
  if (bootId === undefined) throw lostControl(`${context.node.name} does not tell its boot ID`)
  return bootId
}

/** Immediately before the disk is written: time enough, cordoned by us, still the same boot of the same machine. */
export async function lastLook(context: StepContext, bootId: string): Promise<void> {
  const { node } = context
  const closed = closedWindow(context.plan, node, context.clock.now().getTime(), offsetAt)
  if (closed !== null) throw new NothingTouched(windowError(`${node.name}: ${closed}`, context.runId))
  const now = await readNode(context)
  if (!now.unschedulable || now.annotations[marker] !== markerValue(context)) {
    throw new NothingTouched(lostControl(`${node.name} is not cordoned by this run any more`))
  }
  const uuid = (await readHostFile(context, '/sys/class/dmi/id/product_uuid'))?.trim().toLowerCase()
  if (uuid !== undefined && uuid !== node.fingerprint.systemUuid.toLowerCase()) {
    throw new NothingTouched(lostControl(`${node.address.host} answers as another machine (${uuid})`))
  }
  const nowBootId = (await readHostFile(context, bootIdPath))?.trim()
  if (nowBootId !== bootId) throw new NothingTouched(lostControl(`${node.name} has rebooted meanwhile`))
}

/** The new system, and this attempt's: its nonce, read through the host key that was pinned before the move. */
export async function waitForNonce(context: StepContext, step: Step['id'], hint: string): Promise<void> {
  await waitUntil(context, {
    until: `${context.node.name} answers over SSH with this attempt's nonce`,
    timeoutMs: stepTimeout(context, step),
    everyMs: 5_000,
    exit: exitCode.needsOperator,
    hint,
    check: async () => {
      const nonce = (await readHostFile(context, noncePath))?.trim()
      if (nonce === staged(context).nonce) return undefined
      return nonce === undefined
        ? 'it answers, without a nonce'
        : 'it answers with the nonce of another attempt'
    },
  })
}

/**
 * Our nonce: done. The old boot ID: the hook has not got far enough for a reboot. Anything else is on its way or
 * unreachable; only time tells.
 */
export async function observeRebuild(context: StepContext, bootId: string): Promise<Observed> {
  try {
    const nonce = (await readHostFile(context, noncePath))?.trim()
    if (nonce === staged(context).nonce) return 'done'
    const now = (await readHostFile(context, bootIdPath))?.trim()
    return now === bootId ? 'not-started' : 'unknown'
  } catch (error) {
    if (error instanceof MigrateError) return 'in-progress'
    throw error
  }
}

export function stepTimeout(context: StepContext, id: Step['id']): number {
  const step = context.node.steps.find((planned) => planned.id === id)
  if (step === undefined) throw new Error(`the plan of ${context.node.name} has no step ${id}`)
  return step.timeoutMs
}

export async function readHostFile(context: StepContext, path: string): Promise<string | undefined> {
  return context.host.readFile({ name: context.node.name, ...context.node.address }, path, context.signal)
}

function lostControl(what: string): MigrateError {
  return new MigrateError(`${what}; its disk is not touched`, {
    exitCode: exitCode.stalePlan,
    hint: 'find out who else works on it',
  })
}
