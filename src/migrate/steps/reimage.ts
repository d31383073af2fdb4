import { z } from 'zod'
import { exitCode, MigrateError } from '../../core/errors.ts'
import { NothingTouched } from '../nothing-touched.ts'
import type { Step, StepContext } from '../step.ts'
import { staged } from './baseline.ts'
import { lastLook, observeRebuild, readBootId, stepTimeout, waitForNonce } from './rebuilt.ts'
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
    return { bootId: await readBootId(context), argv: programOf(context), nonce: staged(context).nonce }
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
          const { node, runId } = context
          const hint = `look at the console of ${node.name}; when it is up: k3os-migrate resume ${runId}`
          await waitForNonce(context, 'reimage', hint)
        },
      },
    ]
  },
  async observe(context, intent) {
    return observeRebuild(context, intentSchema.parse(intent).bootId)
  },
  async proof(context) {
    // Left behind when we were killed while the hook ran. It may hold secrets, and nobody needs it any more.
    await context.files.remove(hookOutput(context))
    return {}
  },
}

function programOf({ plan }: StepContext): readonly string[] {
  if (plan.method.kind === 'command') return plan.method.argv
  throw new Error(`a plan of the method ${plan.method.kind} has no step that runs a program`)
}

function hookOutput({ node, attempt }: StepContext): string {
  return `nodes/${node.name}/hook-${attempt}.log`
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
