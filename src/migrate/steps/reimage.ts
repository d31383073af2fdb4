import { z } from 'zod'
import { exitCode, MigrateError } from '../../core/errors.ts'
import { noncePath } from '../../core/node-paths.ts'
import { closedWindow } from '../../core/plan-window.ts'
import { offsetAt } from '../../core/time-zone.ts'
import type { Observed, Step, StepContext } from '../step.ts'
import { waitUntil, windowError } from '../wait.ts'
import { staged } from './baseline.ts'
import { marker, markerValue, readNode } from './check.ts'
import { seedFolder } from './stage.ts'

/** A hook that exits with this code (EX_TEMPFAIL) swears that it changed nothing: the node is rolled back. */
const hookTouchedNothing = 75

const intentSchema = z.object({ bootId: z.string(), argv: z.array(z.string()) })

/**
 * The user's own program rebuilds the machine. Contract (docs/hooks.md): inputs by environment and a JSON file, exit 0
 * when the machine was rebuilt or is about to reboot, 75 when nothing was touched. What it says is never the proof: the
 * nonce is.
 */
export const reimage: Step = {
  id: 'reimage',
  async intent(context) {
    const bootId = (await readHostFile(context, bootIdPath))?.trim()
    if (bootId === undefined) throw lostControl(`${context.node.name} does not tell its boot ID`)
    return { bootId, argv: context.plan.method.argv, nonce: staged(context).nonce }
  },
  async actions(context, intent) {
    const { argv, bootId } = intentSchema.parse(intent)
    const { name, address } = context.node
    return [
      {
        describe: `look once more whether ${name} at ${address.host} is the machine of the plan, cordoned by this run`,
        async run() {
          await lastLook(context, bootId)
        },
      },
      {
        describe: `reimage ${name}: run ${argv.join(' ')} (from here on there is no undo)`,
        async run(signal) {
          await runHook(context, argv, signal)
        },
      },
      {
        describe: `wait until ${name} answers over SSH with this attempt's nonce`,
        async run() {
          await waitForNonce(context)
        },
      },
    ]
  },
  observe: observeReimage,
  async proof(context) {
    // Left behind when we were killed while the hook ran. It may hold secrets, and nobody needs it any more.
    await context.files.remove(hookOutput(context))
    return {}
  },
}

function hookOutput({ node, attempt }: StepContext): string {
  return `nodes/${node.name}/hook-${attempt}.log`
}

const bootIdPath = '/proc/sys/kernel/random/boot_id'

/** Immediately before the disk is written: time enough, cordoned by us, still the same boot of the same machine. */
async function lastLook(context: StepContext, bootId: string): Promise<void> {
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
async function waitForNonce(context: StepContext): Promise<void> {
  await waitUntil(context, {
    until: `${context.node.name} answers over SSH with this attempt's nonce`,
    timeoutMs: stepTimeout(context, 'reimage'),
    everyMs: 5_000,
    exit: exitCode.needsOperator,
    hint: `look at the console of ${context.node.name}; when it is up: k3os-migrate resume ${context.runId}`,
    check: async () => {
      const nonce = (await readHostFile(context, noncePath))?.trim()
      if (nonce === staged(context).nonce) return undefined
      return nonce === undefined
        ? 'it answers, without a nonce'
        : 'it answers with the nonce of another attempt'
    },
  })
}

async function runHook(context: StepContext, argv: readonly string[], signal: AbortSignal): Promise<void> {
  const { node, plan, files, runId, attempt } = context
  const seed = `${files.directory}/${seedFolder(context)}`
  const { delivery } = await context.translate(staged(context).nonce)
  const input = {
    apiVersion: 'k3os-migrate/v1',
    kind: 'HookInput',
    runId,
    attempt,
    node: node.name,
    role: node.role,
    address: node.address,
    target: plan.target,
    seed,
    seedFiles: Object.keys(staged(context).files),
    delivery,
    keepsData: plan.method.keepsData,
    keptData: node.keptData,
    systemUuid: node.fingerprint.systemUuid,
  }
  const inputFile = `nodes/${node.name}/hook-${attempt}.json`
  await files.write(inputFile, `${JSON.stringify(input, null, 2)}\n`, 0o600)
  const result = await context.hook.run(argv, {
    environment: {
      K3OS_MIGRATE_NODE: node.name,
      K3OS_MIGRATE_HOST: node.address.host,
      K3OS_MIGRATE_PORT: String(node.address.port),
      K3OS_MIGRATE_USER: node.address.user,
      K3OS_MIGRATE_TARGET: plan.target,
      K3OS_MIGRATE_SEED: seed,
      K3OS_MIGRATE_INPUT: `${files.directory}/${inputFile}`,
      K3OS_MIGRATE_KEEP_DATA: plan.method.keepsData ? '1' : '0',
      K3OS_MIGRATE_RUN: runId,
      K3OS_MIGRATE_ATTEMPT: String(attempt),
    },
    onLine: (line) => context.progress(`hook: ${line}`),
    output: `${files.directory}/${hookOutput(context)}`,
    signal: AbortSignal.any([signal, context.clock.timeout(stepTimeout(context, 'reimage'))]),
  })
  if (result.exitCode === 0) return
  if (result.exitCode === hookTouchedNothing)
    throw new NothingTouched(
      new MigrateError(
        `${node.name}: the hook said (exit ${hookTouchedNothing}) that it changed nothing: ${result.tail}`,
        {
          exitCode: exitCode.rolledBack,
          hint: 'mend what the hook complained of',
        },
      ),
    )
  const how = result.exitCode === null ? 'was ended by a signal' : `ended with exit code ${result.exitCode}`
  throw new MigrateError(
    `${node.name}: the hook ${how}; nobody can say what is on the disk: ${result.tail}`,
    {
      exitCode: exitCode.needsOperator,
      hint: `look at the machine; once it boots the new system, or to run the hook again: k3os-migrate resume ${context.runId}`,
    },
  )
}

/** The one failure of this step that is undone like those before it: the disk is as it was. */
export class NothingTouched extends MigrateError {
  constructor(why: MigrateError) {
    super(why.message, { exitCode: why.exitCode, ...(why.hint === undefined ? {} : { hint: why.hint }) })
  }
}

/**
 * Our nonce: done. The old boot ID: the hook has not got far enough for a reboot. Anything else is on its way or
 * unreachable; only time tells.
 */
async function observeReimage(
  context: StepContext,
  intent: Readonly<Record<string, unknown>>,
): Promise<Observed> {
  const { bootId } = intentSchema.parse(intent)
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
