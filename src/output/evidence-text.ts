import type { EvidenceVerdict } from '../core/evidence-verdict.ts'
import { mark, type Role } from './style.ts'
import { table } from './table.ts'

const results: Readonly<
  Record<EvidenceVerdict['checks'][number]['result'], { readonly text: string; readonly role: Role }>
> = {
  right: { text: 'ok', role: 'ok' },
  wrong: { text: 'WRONG', role: 'bad' },
  'not-checked': { text: 'not checked', role: 'warn' },
}

/** What was looked at, who approved what and when, and what became of each node. */
export function evidenceText(verdict: EvidenceVerdict, width: number): string {
  const { checks, approvals, nodes } = verdict
  const wrong = checks.filter(({ result }) => result === 'wrong').length
  const unchecked = checks.filter(({ result }) => result === 'not-checked').length
  const checkRows = checks.map(({ part, what, result, detail }) => [
    results[result],
    part,
    detail === null ? what : `${what}: ${detail}`,
  ])
  const approvalRows = approvals.map(({ node, attempt, by, at, how, signed }) => [
    attempt === 1 ? node : `${node} (attempt ${attempt})`,
    by,
    at,
    signed ? `${how}, with a signature` : how,
  ])
  const nodeRows = nodes.map(({ name, state, osImageBefore, osImageAfter }) => [
    name,
    state,
    osImageAfter === null ? '' : `${osImageBefore ?? ''} -> ${osImageAfter}`,
  ])
  const headline =
    wrong === 0
      ? mark('ok', `The evidence holds: ${checks.length - unchecked} of ${checks.length} checks.`)
      : mark('bad', `The evidence does not hold: ${wrong} of ${checks.length} checks are wrong.`)
  return [
    `run ${verdict.runId ?? '?'}, plan ${verdict.planDigest ?? '?'}\n\n`,
    table(['RESULT', 'PART', 'CHECK'], checkRows, { width }),
    approvalRows.length === 0 ? '' : `\n${table(['APPROVED', 'BY', 'AT', 'HOW'], approvalRows, { width })}`,
    nodeRows.length === 0 ? '' : `\n${table(['NODE', 'STATE', 'SYSTEM'], nodeRows, { width })}`,
    `\n${headline}\n`,
  ].join('')
}
