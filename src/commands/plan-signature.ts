import { resolve } from 'node:path'
import { readIfPresent, writeDurably } from '../adapters/files.ts'
import { sshSignatures, type Signatures } from '../adapters/ssh-signature.ts'
import { systemClock } from '../adapters/clock.ts'
import { approvalMessage, approvalsSchema, type ApprovalEntry } from '../core/approvals.ts'
import { exitCode, MigrateError, type ExitCode } from '../core/errors.ts'
import { json } from '../output/json.ts'
import type { CommandIo } from './io.ts'
import { readPlan } from './plan-inputs.ts'
import { readDocument } from './read-document.ts'
import type { RunOptions } from './run-options.ts'

export interface PlanSignOptions {
  readonly file: string
  readonly key: string
}

/** A signature over the file as it lies there, so that ssh-keygen alone can make and check it too. */
export async function planSign(
  options: PlanSignOptions,
  io: CommandIo,
  signatures: Signatures = sshSignatures(),
): Promise<ExitCode> {
  const file = resolve(io.cwd, options.file)
  const plan = await readPlan(file)
  const signature = await signatures.sign(resolve(io.cwd, options.key), await bytesOf(file))
  await writeDurably(signatureFile(file), signature, 0o644)
  io.out(`${plan.digest}\n`)
  io.err(
    `wrote ${signatureFile(options.file)}\nnext: k3os-migrate apply ${options.file} --allowed-signers FILE --require-signature\n`,
  )
  return exitCode.ok
}

export interface PlanApproveOptions {
  readonly file: string
  readonly node: readonly string[]
  readonly by: string
  readonly approvals: string
  readonly key?: string
}

/** Adds an entry for each node to an approvals file. What is approved is this plan, by its digest. */
export async function planApprove(
  options: PlanApproveOptions,
  io: CommandIo,
  signatures: Signatures = sshSignatures(),
  clock = systemClock,
): Promise<ExitCode> {
  const plan = await readPlan(resolve(io.cwd, options.file))
  const path = resolve(io.cwd, options.approvals)
  const before =
    (await readDocument(path, approvalsSchema, 'k3os-migrate plan approve makes one'))?.document ?? []
  const added: ApprovalEntry[] = []
  for (const node of options.node) {
    if (!plan.nodes.some(({ name }) => name === node))
      throw new MigrateError(`the plan has no node ${node}`, {
        exitCode: exitCode.usage,
        hint: `it has ${plan.nodes.map(({ name }) => name).join(', ')}`,
      })
    const entry = { planDigest: plan.digest, node, approvedBy: options.by, at: clock.now().toISOString() }
    const signature =
      options.key === undefined
        ? undefined
        : await signatures.sign(resolve(io.cwd, options.key), approvalMessage(entry))
    added.push(signature === undefined ? entry : { ...entry, signature })
  }
  await writeDurably(path, json([...before, ...added]), 0o644)
  io.err(`${options.approvals}: ${options.node.join(', ')} approved by ${options.by} for ${plan.digest}\n`)
  return exitCode.ok
}

export function signatureFile(planFile: string): string {
  return `${planFile}.sig`
}

/** Checks who signed a plan, as far as it was asked for. A wrong signature, or none where one is required, is exit 5. */
export async function checkPlanSignature(
  file: string,
  { allowedSigners, requireSignature }: Pick<RunOptions, 'allowedSigners' | 'requireSignature'>,
  io: CommandIo,
  signatures: Signatures = sshSignatures(),
): Promise<void> {
  if (requireSignature === true && allowedSigners === undefined)
    throw new MigrateError('--require-signature needs to know whose: --allowed-signers FILE', {
      exitCode: exitCode.usage,
    })
  const signature = await readIfPresent(signatureFile(file))
  if (signature === undefined) {
    if (requireSignature !== true) return
    throw new MigrateError(`the plan is not signed: there is no ${signatureFile(file)}`, {
      exitCode: exitCode.stalePlan,
      hint: 'k3os-migrate plan sign --key FILE',
    })
  }
  if (allowedSigners === undefined) {
    io.err(`${signatureFile(file)} is there and was not checked: --allowed-signers FILE\n`)
    return
  }
  const verdict = await signatures.verify({
    allowedSigners: resolve(io.cwd, allowedSigners),
    signature: new TextDecoder().decode(signature),
    message: await bytesOf(file),
  })
  if (verdict.status === 'valid') {
    io.err(`the plan is signed by ${verdict.principals.join(', ')}\n`)
    return
  }
  throw new MigrateError(`the signature of the plan does not hold: ${verdict.reason}`, {
    exitCode: exitCode.stalePlan,
    position: { file: signatureFile(file) },
    hint: 'find out who changed what; then sign it again: k3os-migrate plan sign --key FILE',
  })
}

async function bytesOf(file: string): Promise<Uint8Array> {
  const bytes = await readIfPresent(file)
  if (bytes !== undefined) return bytes
  throw new MigrateError(`cannot read ${file}: it does not exist`, { exitCode: exitCode.io })
}
