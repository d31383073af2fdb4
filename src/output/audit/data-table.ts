import { sizeText } from '../../core/assess/size-text.ts'
import type { DataItem, DataKind } from '../../core/assess/data-map.ts'
import type { Assessment } from '../../core/assessment.ts'
import { html, type Html } from '../html.ts'
import { list } from '../report/words.ts'

/** More would push everything else off the page; all of them are in the JSON document. */
const podsShown = 4

/** What is on one machine's disk and nowhere else, and what becomes of it. */
export function dataTable(data: readonly DataItem[], targets: Assessment['targets']): Html {
  if (data.length === 0) return html`<p>Nothing that is only here.</p>`
  const rows = data.map(
    (item) =>
      html`<tr>
        <td>
          <strong>${kinds[item.kind]}</strong
          >${whatOf(item).map((text) => html`<div class="sub"><code>${text}</code></div>`)}
        </td>
        <td data-label="Size">${item.bytes === null ? 'not known' : sizeText(item.bytes)}</td>
        <td data-label="Pods">${podsText(item.pods)}</td>
        <td data-label="What becomes of it">
          ${fateOf(item, targets).map((text) => html`<div>${text}</div>`)}
        </td>
      </tr> `,
  )
  return html`<table class="data">
    <thead>
      <tr>
        <th scope="col">Data</th>
        <th scope="col">Size</th>
        <th scope="col">Pods</th>
        <th scope="col">What becomes of it</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`
}

const kinds: Readonly<Record<DataKind, string>> = {
  datastore: 'Datastore of the cluster',
  volume: 'Volume',
  hostPath: 'Directory of the machine',
  emptyDir: 'emptyDir',
  orphan: 'Directory nobody claims',
}

function whatOf({ claim, volume, path }: DataItem): string[] {
  return [claim, volume, path].filter((text) => text !== null)
}

function podsText(pods: readonly string[]): string {
  if (pods.length === 0) return '–'
  const more = pods.length - podsShown
  return more <= 0 ? pods.join(', ') : `${pods.slice(0, podsShown).join(', ')} and ${more} more`
}

/** By target, because what stays on a disk is of no use to a cluster that is built anew. */
function fateOf({ kind, reclaimPolicy }: DataItem, targets: Assessment['targets']): string[] {
  if (kind === 'emptyDir') return ['Lost with its pod, whatever the target.']
  const anew = targets.filter(({ requires }) => !requires.rejoins).map(({ id }) => id)
  const stays = 'Stays where the disk is not wiped; compared before k3s starts.'
  const moves =
    kind === 'datastore'
      ? `${list(anew)}: a new cluster has its own, the objects are carried over.`
      : `${list(anew)}: copied to the new cluster.`
  return [
    ...(anew.length < targets.length || targets.length === 0 ? [stays] : []),
    ...(anew.length === 0 ? [] : [moves]),
    ...(reclaimPolicy === 'Delete' ? ['Deleting its claim deletes it.'] : []),
  ]
}
