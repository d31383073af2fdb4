import { sizeText } from '../../core/assess/size-text.ts'
import type { DataFate, DataFateWord, DiskWay } from '../../core/assess/data-fates.ts'
import type { DataItem, DataKind } from '../../core/assess/data-map.ts'
import type { Assessment } from '../../core/assessment.ts'
import { html, type Html } from '../html.ts'
import { some } from '../../core/rules/assess-shapes.ts'

/** More would push everything else off the page; all of them are in the JSON document. */
const podsShown = 4

/** What a machine's pods and its k3s work with, and what becomes of it. */
export function dataTable(
  data: readonly DataItem[],
  { dataMap, targets }: Pick<Assessment, 'dataMap' | 'targets'>,
): Html {
  if (data.length === 0) return html`<p>None.</p>`
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
          ${fatesOf(item, dataMap, targets).map(
            ({ fate, text }) => html`<div><strong>${fate}</strong>${text}</div>`,
          )}
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

interface Sentence {
  readonly fate: string
  readonly text: string
}

const fateWords: Readonly<Record<DataFateWord, string>> = {
  kept: 'Stays',
  carried: 'To be carried',
  lost: 'Lost',
  external: 'Stays outside',
}

const wayWords: Readonly<Record<DiskWay, string>> = {
  'keeps-data': 'where the data is kept',
  'wipes-disk': 'where the disk is wiped',
}

/** The rows of the map tell targets apart by this alone. */
function clusterWords(targets: Assessment['targets']): string {
  if (targets.every(({ requires }) => requires.rejoins)) return 'in the same cluster'
  return `in a new cluster (${some(targets.map(({ id }) => id))})`
}

/** What is the same whatever the way or the target is said once. */
function fatesOf(
  { kind, place, reclaimPolicy }: DataItem,
  dataMap: readonly DataFate[],
  targets: Assessment['targets'],
): Sentence[] {
  const rows = dataMap.filter((row) => row.kind === kind && row.place === place)
  const alike = Map.groupBy(rows, ({ fate, because }) => `${fate} ${because}`)
  const sentences = [...alike.values()].flatMap((group): Sentence[] => {
    const [first] = group
    if (first === undefined) return []
    const ways = new Set(group.map(({ way }) => way))
    const ids = new Set(group.flatMap((row) => row.targets))
    const when = [
      ways.size === 1 ? wayWords[first.way] : '',
      ids.size < targets.length ? clusterWords(targets.filter(({ id }) => ids.has(id))) : '',
    ].filter((text) => text !== '')
    return [
      {
        fate: fateWords[first.fate],
        text: `${when.length === 0 ? '' : ` ${when.join(', ')}`}: ${first.because}.`,
      },
    ]
  })
  return [
    ...sentences,
    ...(reclaimPolicy === 'Delete' ? [{ fate: 'Careful', text: ': deleting its claim deletes it.' }] : []),
  ]
}
