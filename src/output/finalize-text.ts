import { leftoverText, type FinalizePlan } from '../core/finalize.ts'
import { plain } from './style.ts'
import { table } from './table.ts'

/** Exactly what goes, in its order, what stays, and the digest to approve. */
export function finalizeText({ items, kept, cluster, digest }: FinalizePlan, width: number): string {
  const gone = items.map((item, index) => [
    String(index + 1),
    { text: leftoverText(item), role: 'name' as const },
    item.why,
  ])
  const stays = kept.map(({ what, why }) => [what, why])
  return [
    gone.length === 0 ? '' : `${table(['#', 'REMOVED', 'WHY'], gone, { width })}\n`,
    stays.length === 0 ? '' : `${table(['KEPT', 'WHY'], stays, { width })}\n`,
    `cluster  ${plain(cluster.server)}\ndigest   ${digest}\n`,
  ].join('')
}
