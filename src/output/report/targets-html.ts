import type { Fit } from '../../core/assessment.ts'
import type { Targets } from '../../core/targets.ts'
import { fitTones } from '../audit/node-section.ts'
import { html, type Html } from '../html.ts'
import { targetNeeds } from '../target-needs.ts'
import { byTargetCss, scrolling, tableByTarget } from './by-target.ts'
import { htmlPage, state } from './html-parts.ts'
import { plural } from './words.ts'

/** Which systems there are and what they need; with an inventory, which node fits which, and why not. */
export function targetsHtml(document: Targets): string {
  const { targets, fit, metadata } = document
  const nodes = new Map(Object.entries(Object.groupBy(fit ?? [], ({ node }) => node)))
  return htmlPage({
    title: fit === null ? 'Targets for k3OS nodes' : `Targets for ${plural(nodes.size, 'k3OS node')}`,
    skip: { id: 'targets', text: 'Skip to the targets' },
    css: `${byTargetCss}.needs td:nth-child(3) { min-width: 22rem; }`,
    main: html`<header>
        <p class="kicker">k3OS targets</p>
        <h1>
          ${fit === null ? 'Where k3OS nodes can go' : `Where ${plural(nodes.size, 'k3OS node')} can go`}
        </h1>
        <p class="lead">
          What each system asks of a machine. What it makes of a configuration is another question:
          <code>k3os-migrate translate --compare</code>.
        </p>
      </header>
      ${fit === null ? null : fitSection(targets, nodes)}
      <section aria-labelledby="targets">
        <h2 id="targets">Targets</h2>
        ${needsTable(document)} ${refusedList(document)}
      </section>`,
    footer: html`Made by k3os-migrate ${metadata.toolVersion} on ${metadata.createdAt.slice(0, 10)}.`,
  })
}

function fitSection(
  targets: Targets['targets'],
  nodes: ReadonlyMap<string, readonly Fit[] | undefined>,
): Html {
  const table =
    nodes.size === 0
      ? html`<p>No node of the inventory runs k3OS.</p>`
      : tableByTarget({
          label: 'Fit by node and target',
          of: 'Node',
          targets: targets.map(({ id }) => id),
          rows: [...nodes].map(([name, rows]) => ({
            name,
            cells: targets.map(({ id }) => fitCell(rows?.find(({ target }) => target === id))),
          })),
        })
  return html`<section aria-labelledby="fit">
    <h2 id="fit">Which node fits</h2>
    ${table}
  </section>`
}

function fitCell(fit: Fit | undefined): Html {
  if (fit === undefined) return html`not looked at`
  return html`${state({ text: fit.verdict, tone: fitTones[fit.verdict] })}
  ${fit.reasons.map(({ text }) => html`<div class="sub">${text}</div>`)}`
}

function needsTable({ targets }: Targets): Html {
  const rows = targets.map(
    ({ id, title, requires }) =>
      html`<tr>
        <th scope="row"><code>${id}</code></th>
        <td data-label="System">${title}</td>
        <td data-label="Needs and offers">${targetNeeds(requires).join('; ')}</td>
      </tr>`,
  )
  return scrolling(
    'Targets and what they need',
    html`<table class="needs">
      <thead>
        <tr>
          <th scope="col">Target</th>
          <th scope="col">System</th>
          <th scope="col">Needs and offers</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>`,
  )
}

function refusedList({ refused }: Targets): Html | null {
  if (refused.length === 0) return null
  return html`<h3>No targets</h3>
    <ul>
      ${refused.map(({ id, reason }) => html`<li><code>${id}</code>: ${reason}</li>`)}
    </ul>`
}
