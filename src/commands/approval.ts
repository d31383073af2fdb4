import { resolve } from 'node:path'
import { sshSignatures, type Signatures } from '../adapters/ssh-signature.ts'
import {
  approvalMessage,
  approvalsFor,
  approvalsSchema,
  type Approval,
  type ApprovalEntry,
} from '../core/approvals.ts'
import { exitCode, MigrateError } from '../core/errors.ts'
import { byWhom } from '../core/methods.ts'
import type { Plan, PlanNode } from '../core/plan.ts'
import type { CommandIo } from './io.ts'
import { requireDocument } from './read-document.ts'
import type { RunOptions } from './run-options.ts'

/** Where nobody can be asked, the digest of this very plan or a file is the approval; nothing else means yes. */
export function requireApproval(plan: Plan, options: RunOptions, io: CommandIo): void {
  if (options.approvePlan === plan.digest || options.approvals !== undefined) return
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

/** Asked for each node when its turn comes; throws (exit 10) where nobody approves. */
export type Approve = (node: PlanNode) => Promise<Approval>

/** The file is read now, so that a mistake in it is said before anything is begun. */
export async function approver(
  plan: Plan,
  options: RunOptions,
  io: CommandIo,
  now: () => Date,
  signatures: Signatures = sshSignatures(),
): Promise<Approve> {
  const at = () => now().toISOString()
  const by = io.env['USER'] ?? io.env['LOGNAME'] ?? 'unknown'
  if (options.approvePlan === plan.digest) return async () => ({ by, at: at(), how: 'plan' })
  if (options.approvals !== undefined) {
    const entries = await readApprovals(resolve(io.cwd, options.approvals))
    return async (node) => fromFile(plan, node, entries, options, io, signatures)
  }
  return async (node) => {
    await askForName(plan, node, io)
    return { by, at: at(), how: 'typed' }
  }
}

async function readApprovals(path: string): Promise<ApprovalEntry[]> {
  const hint =
    'an approvals file is a list of {planDigest, node, approvedBy, at, signature}: k3os-migrate plan approve'
  return (await requireDocument(path, approvalsSchema, hint)).document
}

async function fromFile(
  plan: Plan,
  node: PlanNode,
  entries: readonly ApprovalEntry[],
  options: RunOptions,
  io: CommandIo,
  signatures: Signatures,
): Promise<Approval> {
  let unsigned = 0
  for (const entry of approvalsFor(entries, plan, node)) {
    const { signature, approvedBy, at } = entry
    if (options.requireSignature === true && signature === undefined) {
      unsigned += 1
      continue
    }
    if (signature === undefined || options.allowedSigners === undefined)
      return { by: approvedBy, at, how: 'file', ...(signature === undefined ? {} : { signature }) }
    const verdict = await signatures.verify({
      allowedSigners: resolve(io.cwd, options.allowedSigners),
      signature,
      message: approvalMessage(entry),
      principal: approvedBy,
    })
    if (verdict.status === 'valid') return { by: approvedBy, at, how: 'signed file', signature }
    throw new MigrateError(`the approval of ${node.name} by ${approvedBy} is not theirs: ${verdict.reason}`, {
      exitCode: exitCode.stalePlan,
      hint: 'find out who wrote it; a new one: k3os-migrate plan approve',
    })
  }
  const why = unsigned === 0 ? 'has no entry for it under this plan' : 'has only entries without a signature'
  throw new MigrateError(`${node.name} is not approved: ${options.approvals ?? ''} ${why}`, {
    exitCode: exitCode.approvalMissing,
    hint: `k3os-migrate plan approve --node ${node.name}, then: k3os-migrate resume --approvals ${options.approvals ?? 'FILE'}`,
  })
}

/** On a terminal the name of the node is typed; anything else, and silence, is no. */
async function askForName(plan: Plan, node: PlanNode, io: CommandIo): Promise<void> {
  const data = node.keptData.length === 0 ? '' : `, keeping ${node.keptData.length} directories of data`
  const who = plan.method.kind === 'command' ? `by ${plan.method.argv[0]}` : byWhom(plan.method)
  const wipe = `${node.name} (${node.role}, ${node.address.host}) is rebuilt as ${plan.target} ${who}${data}.`
  const answer = await io.ask(`${wipe} Type its name to go on:`)
  if (answer?.trim() === node.name) return
  throw new MigrateError(`${node.name} was not approved`, {
    exitCode: exitCode.approvalMissing,
    hint: 'k3os-migrate resume asks again',
  })
}
