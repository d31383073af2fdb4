import type { Inventory } from '../../core/inventory.ts'
import type { JournalRecord } from '../../core/journal.ts'
import type { Outcome } from '../../core/outcome.ts'

/** One thing that was compared before and after the move. */
export interface ProofRow {
  readonly what: string
  readonly before: string | null
  readonly after: string | null
  /** What the comparison says, in words. */
  readonly says: string
  readonly holds: boolean
}

type OutcomeNode = Outcome['nodes'][number]

/**
 * Before comes from the inventory, after from the proof of the run. Without a proof only the data that was
 * fingerprinted is shown, with what became of it.
 */
export function proofRows(
  { name, proof }: OutcomeNode,
  inventory: Inventory | null,
  records: readonly JournalRecord[],
): ProofRow[] {
  if (proof === null) return dataRows(name, records)
  const before = kubeNode(inventory, name)
  return [
    compared(
      'System UUID',
      before?.systemUuid ?? null,
      proof.systemUuid,
      same('the same machine', 'another machine'),
    ),
    compared('Boot', proof.bootIdBefore, proof.bootIdAfter, other('booted anew', 'not booted since')),
    compared('System', proof.osImageBefore, proof.osImageAfter, {
      holds: (_, after) => !/^k3os\b/i.test(after),
      yes: 'no longer k3OS',
      no: 'still k3OS',
    }),
    compared(
      'k3s',
      before?.kubeletVersion ?? null,
      proof.kubeletVersion,
      same('the same version', 'another version'),
    ),
    {
      what: 'Nonce',
      before: null,
      after: proof.nonce,
      says: 'the new system answered with the number made for this attempt',
      holds: true,
    },
    ...dataRows(name, records),
  ]
}

interface Comparison {
  holds(before: string, after: string): boolean
  readonly yes: string
  readonly no: string
}

function same(yes: string, no: string): Comparison {
  return { holds: (before, after) => before.toLowerCase() === after.toLowerCase(), yes, no }
}

function other(yes: string, no: string): Comparison {
  return { holds: (before, after) => before !== after, yes, no }
}

function compared(what: string, before: string | null, after: string, comparison: Comparison): ProofRow {
  if (before === null)
    return { what, before, after, says: 'not known before: nothing to compare', holds: false }
  const holds = comparison.holds(before, after)
  return { what, before, after, says: holds ? comparison.yes : comparison.no, holds }
}

/** Fingerprints of the data that stayed; equal when the step that compares them is done. */
function dataRows(node: string, records: readonly JournalRecord[]): ProofRow[] {
  const own = records.filter((record) => record.node === node)
  const taken = own.findLast(({ step, phase }) => step === 'fingerprint' && phase === 'intent')
  const comparison = own.findLast(({ step, phase }) => step === 'compare' && phase === 'result')
  const equal = comparison?.attempt === taken?.attempt && comparison?.data['outcome'] === 'done'
  const digests = taken?.data['digests']
  if (typeof digests !== 'object' || digests === null) return []
  return Object.entries(digests).map(([path, digest]) => ({
    what: path,
    before: String(digest),
    after: equal ? String(digest) : null,
    says: equal ? 'every file as it was' : 'not proven equal',
    holds: equal,
  }))
}

function kubeNode(inventory: Inventory | null, name: string) {
  return inventory?.cluster?.status === 'read'
    ? inventory.cluster.facts.nodes.find((node) => node.name === name)
    : undefined
}
