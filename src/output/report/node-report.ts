import type { AssessmentDocument } from '../../core/assessment.ts'
import { sizeText } from '../../core/assess/size-text.ts'
import type { Inventory, InventoryNode } from '../../core/inventory.ts'
import type { Outcome } from '../../core/outcome.ts'
import { stepDefaults, type Plan } from '../../core/plan.ts'
import { isStepId } from '../../core/run-state.ts'
import { proofRows, type ProofRow } from './proof-rows.ts'
import type { Row, State } from './html-parts.ts'
import type { RunDocuments } from './run-report.ts'
import { attempts, stepRows, spanMs, type Attempt } from './step-rows.ts'
import { durationText, plural, timeText } from './words.ts'

/** One node: what was found, decided, done and proven. */
export interface NodeReport {
  readonly name: string
  readonly role: string
  readonly state: State
  readonly reason: string | null
  /** The last step reached. */
  readonly step: string | null
  /** Time of its last try. */
  readonly took: string
  readonly found: readonly Row[]
  readonly decided: readonly Row[]
  readonly attempts: readonly Attempt[]
  readonly proven: readonly ProofRow[]
}

type OutcomeNode = Outcome['nodes'][number]

export function nodeReport(node: OutcomeNode, documents: RunDocuments): NodeReport {
  const { plan, inventory, assessment, journal } = documents
  const planned = plan?.nodes.find(({ name }) => name === node.name)
  const entry = inventory?.nodes.find(
    (one) => one.name === node.name || (one.status === 'read' && one.facts.hostname === node.name),
  )
  const tries = attempts(stepRows(journal.records, node.name))
  const last = tries.at(-1)
  return {
    name: node.name,
    role: planned?.role ?? '',
    state: stateOf(node),
    reason: node.reason,
    step: node.step !== null && isStepId(node.step) ? stepDefaults[node.step].title : node.step,
    took: last === undefined ? '–' : durationText(spanMs(last.rows)),
    found: [
      ...foundRows(entry),
      ...volumeRows(node.name, inventory),
      ...assessedRows(node.name, assessment, plan),
    ],
    decided: planned === undefined || plan === null ? [] : decidedRows(planned, plan),
    attempts: tries,
    proven: proofRows(node, inventory, journal.records),
  }
}

function stateOf({ state }: OutcomeNode): NodeReport['state'] {
  switch (state) {
    case 'done':
      return { text: 'moved', tone: 'ok' }
    case 'pending':
      return { text: 'not begun', tone: 'dim' }
    case 'rolled-back':
      return { text: 'as before', tone: 'warn' }
    case 'reverted':
      return { text: 'taken back to k3OS', tone: 'warn' }
    case 'in-progress':
      return { text: 'unfinished', tone: 'warn' }
    case 'needs-operator':
      return { text: 'needs a person', tone: 'bad' }
  }
}

/** What was read of a machine: system, k3s, hardware, disks, and what was not. */
export function foundRows(entry: InventoryNode | undefined): Row[] {
  if (entry === undefined) return []
  if (entry.status === 'error') return [row('Reading', `failed: ${entry.reason}`)]
  const { facts } = entry
  const { cpu, disks, memoryMib } = facts
  const hardware = [
    facts.boardModel,
    cpu.model,
    cpu.cores === null ? null : plural(cpu.cores, 'core'),
    memoryMib === null ? null : `${sizeText(memoryMib * 1024 * 1024)} memory`,
    facts.firmware === 'unknown' ? null : facts.firmware.toUpperCase(),
  ]
  return [
    row('System', known([facts.os.prettyName, facts.kernel && `kernel ${facts.kernel}`, facts.machine])),
    row(
      'k3s',
      known([facts.k3s.version, facts.k3s.role, facts.k3s.datastore === 'none' ? null : facts.k3s.datastore]),
    ),
    row('Hardware', known(hardware)),
    row(
      'Disks',
      known(
        disks.map(({ name, sizeMib, model }) => known([`${name} ${sizeText(sizeMib * 1024 * 1024)}`, model])),
      ),
    ),
    row('Read', `${timeText(entry.readAt)} by ${entry.how}`),
    ...(facts.failures.length === 0
      ? []
      : [row('Not read', facts.failures.map(({ what, reason }) => `${what} (${reason})`).join(', '))]),
  ]
}

function volumeRows(node: string, inventory: Inventory | null): Row[] {
  if (inventory?.cluster?.status !== 'read') return []
  const volumes = inventory.cluster.facts.persistentVolumes.filter(({ nodes }) => nodes.includes(node))
  return volumes.map(({ name, claim, path }) =>
    row('Volume', known([claim === null ? name : `${claim.namespace}/${claim.name}`, path])),
  )
}

function assessedRows(node: string, assessment: AssessmentDocument | null, plan: Plan | null): Row[] {
  const fit = assessment?.fit.find((one) => one.node === node && one.target === plan?.target)
  if (fit === undefined) return []
  const reasons = fit.reasons.map(({ text }) => text).join('; ')
  return [row('Target', `${fit.target}: ${fit.verdict}${reasons === '' ? '' : ` (${reasons})`}`)]
}

function decidedRows(planned: Plan['nodes'][number], plan: Plan): Row[] {
  const place = plan.nodes.indexOf(planned) + 1
  return [
    row('Turn', `${place} of ${plan.nodes.length}: ${planned.why}`),
    code('Reached at', `${planned.address.user}@${planned.address.host}:${planned.address.port}`),
    row('Evictions', String(planned.evictions)),
    ...(planned.keptData.length === 0
      ? [row('Data that stays', 'none')]
      : planned.keptData.map((path) => code('Data that stays', path))),
    code('Bundle', planned.fingerprint.bundleSha256),
    code('Translation', planned.fingerprint.translationSha256),
  ]
}

function known(parts: readonly (string | null)[]): string {
  const texts = parts.filter((part) => part !== null && part !== '')
  return texts.length === 0 ? 'not known' : texts.join(', ')
}

function row(label: string, value: string): Row {
  return { label, value, kind: 'text' }
}

function code(label: string, value: string): Row {
  return { label, value, kind: 'code' }
}
