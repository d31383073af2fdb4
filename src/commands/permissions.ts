import { exitCode, MigrateError } from '../core/errors.ts'
import type { Plan } from '../core/plan.ts'
import { permissionText, rulesFor, type Permission, type RbacCommand } from '../core/rbac.ts'
import type { AccessReviewer } from '../migrate/ports.ts'

/** Before anything is changed: what would be refused in the middle is refused at the beginning (exit 77). */
export async function refuseMissingPermissions(
  command: RbacCommand,
  access: AccessReviewer,
  signal: AbortSignal,
  plan?: Plan,
): Promise<void> {
  const missing = await access.missing(rulesFor(command, plan?.pauses), signal)
  if (missing.length > 0) throw missingPermissions(command, access, missing, plan)
}

/**
 * For a run that goes on: its only server may be the one that is being rebuilt, so that nobody can be asked now. Each request
 * is answered by the server all the same.
 */
export async function refuseKnownMissingPermissions(
  command: RbacCommand,
  access: AccessReviewer,
  signal: AbortSignal,
  plan?: Plan,
): Promise<void> {
  try {
    await refuseMissingPermissions(command, access, signal, plan)
  } catch (error) {
    if (!(error instanceof MigrateError) || !error.transient) throw error
  }
}

function missingPermissions(
  command: RbacCommand,
  { where }: AccessReviewer,
  missing: readonly Permission[],
  plan: Plan | undefined,
): MigrateError {
  const own = plan === undefined || plan.pauses.length === 0 ? '' : ' --plan PLAN'
  return new MigrateError(`no permission to ${missing.map(permissionText).join(', ')} at ${where}`, {
    exitCode: exitCode.permission,
    hint: `k3os-migrate rbac ${command}${own} prints an account that has what it needs`,
  })
}
