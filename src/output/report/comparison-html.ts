import type { Comparison } from '../../core/comparison.ts'
import { fates, type Fate } from '../../core/fates.ts'
import { html, type Html } from '../html.ts'
import { byTargetCss, scrolling, tableByTarget } from './by-target.ts'
import { htmlPage, state, type Tone } from './html-parts.ts'

type Node = Comparison['nodes'][number]

/** With more nodes a page of every value of each would be of use to nobody. */
const nodesInFull = 50

/** Targets side by side: what would be missed first, then each node, value by value. */
export function comparisonHtml(document: Comparison): string {
  const { nodes, targets } = document
  const read = nodes.filter(({ unread }) => unread === null)
  return htmlPage({
    title: `What ${targets.length} targets make of ${nodes.length} k3OS nodes`,
    skip: { id: 'nodes', text: 'Skip to the nodes' },
    css,
    main: html`<header>
        <p class="kicker">k3OS targets compared</p>
        <h1>What each target makes of ${nodes.length === 1 ? 'this node' : `${nodes.length} nodes`}</h1>
        <p class="lead">
          Every value of the configuration is counted once for each target. Nothing is written by this
          comparison.
        </p>
        ${legend()}
      </header>
      <section aria-labelledby="nodes">
        <h2 id="nodes">Nodes</h2>
        ${overview(document)}
      </section>
      <section aria-labelledby="losses">
        <h2 id="losses">What would be missed</h2>
        ${losses(document)}
      </section>
      ${
        read.length <= nodesInFull
          ? read.map((node) => values(node, targets))
          : html`<p>
              The values of each node are in the JSON form: more than ${nodesInFull} nodes are compared.
            </p>`
      }`,
    footer: html`Made by k3os-migrate ${document.metadata.toolVersion} from configurations alone. The same
    input gives the same page.`,
  })
}

const meanings: Readonly<Record<Fate, string>> = {
  carried: 'arrives',
  changed: 'arrives, with something to know about it',
  manual: 'does not arrive; what to do instead is said',
  lost: 'does not arrive, and nothing takes its place',
  'not needed': 'the target does without it',
}

const tones: Readonly<Record<Fate, Tone | 'dim'>> = {
  carried: 'ok',
  changed: 'warn',
  manual: 'bad',
  lost: 'bad',
  'not needed': 'dim',
}

const severityTones: Readonly<Record<Comparison['losses'][number]['severity'], Tone | 'dim'>> = {
  inhibitor: 'bad',
  high: 'bad',
  medium: 'warn',
  low: 'dim',
  info: 'dim',
}

function legend(): Html {
  return html`<dl>
    ${fates.map(
      (fate) =>
        html`<dt>${state({ text: fate, tone: tones[fate] })}</dt>
          <dd>${meanings[fate]}</dd>`,
    )}
  </dl>`
}

function losses({ losses: all, targets, nodes }: Comparison): Html {
  if (all.length === 0) return html`<p>Nothing.</p>`
  const rows = all.map(
    (loss) =>
      html`<tr>
        <td>${state({ text: loss.severity, tone: severityTones[loss.severity] })}</td>
        <td>
          ${loss.summary}
          <div class="sub">${loss.rule}</div>
        </td>
        <td data-label="Targets">${some(loss.targets, targets.length)}</td>
        <td data-label="Nodes">${some(loss.nodes, nodes.length)}</td>
      </tr>`,
  )
  return scrolling(
    'What would be missed',
    html`<table class="losses">
      <thead>
        <tr>
          <th scope="col">Severity</th>
          <th scope="col">What</th>
          <th scope="col">Targets</th>
          <th scope="col">Nodes</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>`,
  )
}

function overview({ nodes, targets }: Comparison): Html {
  return tableByTarget({
    label: 'Fates of values by node and target',
    of: 'Node',
    targets: targets.map(({ id }) => id),
    rows: nodes.map(({ name, unread, targets: own }) => ({
      name,
      cells:
        unread === null ? own.map(({ counts }) => bar(counts)) : { instead: `could not be read: ${unread}` },
    })),
  })
}

/** One strip: how much of the configuration has which fate. The words below it say the same. */
function bar(counts: Readonly<Record<Fate, number>>): Html {
  const all = fates.reduce((sum, fate) => sum + counts[fate], 0)
  let x = 0
  const parts = fates.map((fate) => {
    const width = all === 0 ? 0 : (counts[fate] / all) * 100
    const part = html`<rect
      class="fate-${fate.replace(' ', '-')}"
      x="${x.toFixed(2)}"
      y="0"
      width="${width.toFixed(2)}"
      height="10"
    />`
    x += width
    return part
  })
  const words = fates.filter((fate) => counts[fate] > 0).map((fate) => `${counts[fate]} ${fate}`)
  return html`<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
      ${parts}</svg
    ><span class="sub">${words.join(', ')}</span>`
}

function values({ name, targets: own }: Node, targets: Comparison['targets']): Html {
  const paths = own[0]?.values.map(({ path }) => path) ?? []
  return html`<section aria-label="Values of ${name}">
    <h2>${name}</h2>
    ${tableByTarget({
      label: `Values of ${name}`,
      of: 'Value',
      targets: targets.map(({ id }) => id),
      kind: 'values',
      rows: paths.map((path, index) => ({
        name: html`<code>${path}</code>`,
        cells: own.map(({ values: all }) => fateCell(all[index])),
      })),
    })}
  </section>`
}

/** Where it went is in the JSON form: a dozen columns of paths are no picture. */
function fateCell(value: Node['targets'][number]['values'][number] | undefined): Html {
  if (value === undefined) return html``
  const { fate, rules } = value
  const said = fate === 'carried' ? [] : [...new Set(rules)]
  return html`${state({ text: fate, tone: tones[fate] })}
  ${said.map((rule) => html`<div class="sub">${rule}</div>`)}`
}

function some(names: readonly string[], all: number): string {
  if (names.length === all && all > 1) return 'all'
  return names.length > 5 ? `${names.slice(0, 4).join(', ')} and ${names.length - 4} more` : names.join(', ')
}

const css = `${byTargetCss}
.values tbody th { min-width: 10rem; max-width: 16rem; overflow-wrap: anywhere; white-space: normal; }
.values td { min-width: 6.5rem; font-size: .85rem; }
.losses td:nth-child(2) { min-width: 20rem; }
.fate-carried { fill: var(--ok-bar) !important; } .fate-changed { fill: var(--warn-bar) !important; }
.fate-manual, .fate-lost { fill: var(--bad-bar) !important; } .fate-not-needed { fill: var(--idle-bar) !important; }
`
