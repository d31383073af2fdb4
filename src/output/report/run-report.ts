import type { AssessmentDocument } from '../../core/assessment.ts'
import type { Inventory } from '../../core/inventory.ts'
import { firstHash, type JournalReading } from '../../core/journal.ts'
import type { Outcome } from '../../core/outcome.ts'
import { byWhom } from '../../core/methods.ts'
import { stepDefaults, type Plan } from '../../core/plan.ts'
import { isStepId } from '../../core/run-state.ts'
import type { Row, Tone } from './html-parts.ts'
import { nodeReport, type NodeReport } from './node-report.ts'
import { capital, durationText, list, plural, timeText } from './words.ts'

/** What lies in a run directory, read and checked; `null` = the file is not there. */
export interface RunDocuments {
  readonly outcome: Outcome
  readonly journal: JournalReading
  readonly plan: Plan | null
  readonly inventory: Inventory | null
  readonly assessment: AssessmentDocument | null
  /** SHA-256 of each file as read, hex. */
  readonly digests: readonly { readonly file: string; readonly sha256: string }[]
  /** The digest recomputed from `plan.json`: `sha256:<hex>`. */
  readonly planDigest: string | null
  readonly missing: readonly string[]
}

/** A digest and whether it is the one it should be. */
export interface EvidenceRow extends Row {
  readonly verdict: { readonly text: string; readonly tone: Tone } | null
}

/** The report of a run, as data; HTML and Markdown print the same. */
export interface RunReport {
  readonly runId: string
  readonly headline: string
  readonly state: { readonly text: string; readonly tone: Tone }
  /** One sentence: what stopped it, or how long it took. */
  readonly lead: string
  /** Command to type next. */
  readonly next: string | null
  readonly about: readonly Row[]
  readonly nodes: readonly NodeReport[]
  readonly assessment: AssessmentDocument | null
  readonly evidence: readonly EvidenceRow[]
  readonly missing: readonly string[]
}

export function runReport(documents: RunDocuments): RunReport {
  const { outcome, plan } = documents
  return {
    runId: outcome.runId,
    headline: headline(outcome),
    state: stateOf(outcome),
    lead: lead(outcome),
    next: outcome.next,
    about: about(outcome, plan),
    nodes: outcome.nodes.map((node) => nodeReport(node, documents)),
    assessment: documents.assessment,
    evidence: evidence(documents),
    missing: documents.missing,
  }
}

function headline({ nodes }: Outcome): string {
  const done = nodes.filter(({ state }) => state === 'done').length
  if (done === nodes.length)
    return nodes.length === 1 ? 'The node moved.' : `All ${nodes.length} nodes moved.`
  const moved = done === 0 ? 'No node' : String(done)
  return `${moved} of ${plural(nodes.length, 'node')} moved.`
}

function stateOf({ status }: Outcome): RunReport['state'] {
  switch (status) {
    case 'complete':
      return { text: 'complete', tone: 'ok' }
    case 'partial':
      return { text: 'partly done', tone: 'warn' }
    case 'paused':
      return { text: 'paused: it can go on', tone: 'warn' }
    case 'needs-operator':
      return { text: 'a person is needed', tone: 'bad' }
    case 'abandoned':
      return { text: 'given up', tone: 'warn' }
  }
}

function lead(outcome: Outcome): string {
  const took = durationText(Date.parse(outcome.endedAt) - Date.parse(outcome.startedAt))
  if (outcome.status === 'complete') return `It took ${took}. Nothing is left to do in this run.`
  const stopped = outcome.nodes.filter(({ state }) => state === 'needs-operator' || state === 'in-progress')
  const back = outcome.nodes.filter(({ state }) => state === 'rolled-back')
  const waiting = outcome.nodes.filter(({ state }) => state === 'pending')
  const names = (nodes: typeof outcome.nodes): string => list(nodes.map(({ name }) => name))
  return [
    ...stopped.map(({ name, step, reason }) => sentence(`${name} stopped${at(step)}${why(name, reason)}`)),
    ...back.map(({ name, step, reason }) =>
      sentence(`${name} is as it was before; it had stopped${at(step)}${why(name, reason)}`),
    ),
    ...(stopped.length + back.length === 0 && outcome.reason !== null
      ? [sentence(capital(outcome.reason))]
      : []),
    ...(waiting.length === 0
      ? []
      : [sentence(`${names(waiting)} ${waiting.length === 1 ? 'has' : 'have'} not been touched`)]),
  ].join(' ')
}

const at = (step: string | null): string =>
  step === null ? '' : ` at "${isStepId(step) ? stepDefaults[step].title : step}"`

// Messages of a step begin with the node's name, which the sentence has said already.
function why(name: string, reason: string | null): string {
  if (reason === null) return ''
  return `: ${reason.startsWith(`${name}: `) ? reason.slice(name.length + 2) : reason}`
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}

function about(outcome: Outcome, plan: Plan | null): Row[] {
  const took = durationText(Date.parse(outcome.endedAt) - Date.parse(outcome.startedAt))
  const rows: (Row | null)[] = [
    plan && text('Cluster', `${plan.cluster.server}, ${plan.cluster.version}`),
    plan && text('Target', plan.target),
    plan && {
      label: 'Method',
      kind: 'code',
      value: byWhom(plan.method),
    },
    text('Began', timeText(outcome.startedAt)),
    text('Ended', `${timeText(outcome.endedAt)} (${took})`),
    text('Exit code', String(outcome.exit)),
    { label: 'Run', kind: 'code', value: outcome.runId },
  ]
  return rows.filter((row) => row !== null)
}

function text(label: string, value: string): Row {
  return { label, value, kind: 'text' }
}

function evidence({ plan, outcome, journal, digests, planDigest, inventory }: RunDocuments): EvidenceRow[] {
  const { records, torn } = journal
  const whole = torn ? bad('a torn last line was left out') : good('the chain is whole')
  return [
    {
      ...code('Plan digest', outcome.planDigest),
      verdict: plan === null ? null : planVerdict(plan, outcome, planDigest),
    },
    { ...text('Journal', plural(records.length, 'record')), verdict: whole },
    { ...code('First hash', records[0]?.hash ?? firstHash), verdict: null },
    { ...code('Last hash', records.at(-1)?.hash ?? firstHash), verdict: null },
    ...digests.map(({ file, sha256 }): EvidenceRow => {
      const expected = file === 'inventory.yaml' && inventory !== null ? plan?.inventory.sha256 : undefined
      const verdict =
        expected === undefined
          ? null
          : expected.replace(/^sha256:/, '') === sha256
            ? good('the one the plan was made from')
            : bad('not the one the plan was made from')
      return { ...code(file, `sha256:${sha256}`), verdict }
    }),
    ...(plan === null
      ? []
      : [{ ...text('Tool', `k3os-migrate ${plan.metadata.toolVersion}`), verdict: null }]),
  ]
}

function planVerdict(plan: Plan, outcome: Outcome, recomputed: string | null): EvidenceRow['verdict'] {
  if (plan.digest !== outcome.planDigest) return bad('plan.json is not the plan that was carried out')
  return recomputed === plan.digest ? good('plan.json has this digest') : bad('plan.json was changed')
}

function code(label: string, value: string): Row {
  return { label, value, kind: 'code' }
}

const good = (words: string): EvidenceRow['verdict'] => ({ text: words, tone: 'ok' })
const bad = (words: string): EvidenceRow['verdict'] => ({ text: words, tone: 'bad' })
