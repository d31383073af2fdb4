import { exitCode, MigrateError } from '../core/errors.ts'
import type { Plan, PlanNode } from '../core/plan.ts'
import type { CommandIo } from './io.ts'
import type { RunOptions } from './run-options.ts'

/** Where nobody can be asked, the digest of this very plan is the approval; nothing else means yes. */
export function requireApproval(plan: Plan, options: RunOptions, io: CommandIo): void {
  if (options.approvePlan === plan.digest) return
  if (options.approvePlan !== undefined) {
    throw new MigrateError(`--approve-plan names another plan; this one is ${plan.digest}`, {
      exitCode: exitCode.approvalMissing,
      hint: 'look at it: k3os-migrate plan show',
    })
  }
  if (io.interactive) return
  throw new MigrateError('nobody approved this plan, and nobody can be asked here', {
    exitCode: exitCode.approvalMissing,
    hint: `after looking at it: --approve-plan ${plan.digest}`,
  })
}

/** On a terminal the name of the node is typed; anything else, and silence, is no. */
export async function approveNode(
  plan: Plan,
  node: PlanNode,
  options: RunOptions,
  io: CommandIo,
): Promise<void> {
  if (options.approvePlan !== undefined) return
  const data = node.keptData.length === 0 ? '' : `, keeping ${node.keptData.length} directories of data`
  const wipe = `${node.name} (${node.role}, ${node.address.host}) is rebuilt as ${plan.target} by ${plan.method.argv[0]}${data}.`
  const answer = await io.ask(`${wipe} Type its name to go on:`)
  if (answer?.trim() === node.name) return
  throw new MigrateError(`${node.name} was not approved`, {
    exitCode: exitCode.approvalMissing,
    hint: 'k3os-migrate resume asks again',
  })
}
