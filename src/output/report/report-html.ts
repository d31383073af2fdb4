import { html, type Html } from '../html.ts'
import { assessmentSections } from './findings-html.ts'
import { definitions, htmlPage, state, value, type Row, type State } from './html-parts.ts'
import type { NodeReport } from './node-report.ts'
import type { ProofRow } from './proof-rows.ts'
import type { EvidenceRow, RunReport } from './run-report.ts'
import type { Attempt, StepOutcome } from './step-rows.ts'
import { timeline } from './timeline.ts'
import { capital, clockText, durationText, timeText } from './words.ts'

/** One self-contained page: no scripts, nothing loaded from elsewhere. */
export function reportHtml(report: RunReport): string {
  const { headline, runId } = report
  return htmlPage({
    title: `${headline} k3OS migration, run ${runId}`,
    skip: { id: 'nodes', text: 'Skip to the nodes' },
    main: html`<header>
        <p class="kicker">k3OS migration report ${state(report.state)}</p>
        <h1>${headline}</h1>
        <p class="lead">${report.lead}</p>
        ${next(report)} ${definitions(report.about)} ${contents(report)}
      </header>
      <section aria-labelledby="nodes">
        <h2 id="nodes">Nodes</h2>
        ${overview(report.nodes)}
      </section>
      ${report.nodes.map(nodeArticle)}
      ${report.assessment === null ? null : assessmentSections(report.assessment)} ${evidence(report)}`,
    footer: html`Run ${runId}. Made from the files of the run directory; the same files give the same report.`,
  })
}

function next({ next: command }: RunReport): Html | null {
  if (command === null) return null
  return html`<div class="next">
    <p>Next</p>
    <pre>${command}</pre>
  </div>`
}

function contents({ nodes, assessment }: RunReport): Html {
  const links = [
    ...nodes.map(({ name }, index) => html`<li><a href="#node-${index + 1}">${name}</a></li>`),
    assessment === null ? null : html`<li><a href="#findings">Findings</a></li>`,
    assessment === null ? null : html`<li><a href="#checks">Checks</a></li>`,
    html`<li><a href="#evidence">Evidence</a></li>`,
  ]
  return html`<nav aria-label="Contents">
    <ul>
      ${links}
    </ul>
  </nav>`
}

function overview(nodes: readonly NodeReport[]): Html {
  const rows = nodes.map(
    (node, index) =>
      html`<tr>
        <td>
          <a href="#node-${index + 1}"><strong>${node.name}</strong></a>
        </td>
        <td data-label="Role">${node.role}</td>
        <td>${state(node.state)}</td>
        <td data-label="Last step">${node.step ?? '–'}</td>
        <td class="number" data-label="Took">${node.took}</td>
      </tr> `,
  )
  return html`<table>
    <thead>
      <tr>
        <th scope="col">Node</th>
        <th scope="col">Role</th>
        <th scope="col">State</th>
        <th scope="col">Last step</th>
        <th scope="col" class="number">Took</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`
}

function nodeArticle(node: NodeReport, index: number): Html {
  const id = `node-${index + 1}`
  return html`<article aria-labelledby="${id}">
    <header>
      <h2 id="${id}">${node.name}</h2>
      ${state(node.state)}${node.role === '' ? null : html`<span class="dim">${node.role}</span>`}
    </header>
    ${node.reason === null ? null : html`<p class="lead">${node.reason}</p>`}
    ${part('Found', node.found, 'There is no inventory in the run directory.')}
    ${part('Decided', node.decided, 'There is no plan in the run directory.')}
    <h3>Done</h3>
    ${node.attempts.length === 0 ? html`<p>Nothing was done on this node.</p>` : node.attempts.map((attempt) => stepTable(attempt, node.attempts.length))}
    <h3>Proven</h3>
    ${node.proven.length === 0 ? html`<p>Nothing yet: the proof is taken when the node has rejoined.</p>` : proofTable(node.proven)}
  </article> `
}

function part(title: string, rows: readonly Row[], otherwise: string): Html {
  return html`<h3>${title}</h3>
    ${rows.length === 0 ? html`<p>${otherwise}</p>` : definitions(rows)}`
}

const outcomes: Readonly<Record<StepOutcome, State>> = {
  done: { text: 'done', tone: 'ok' },
  failed: { text: 'failed', tone: 'bad' },
  undone: { text: 'undone', tone: 'warn' },
  unfinished: { text: 'unfinished', tone: 'warn' },
}

function stepTable({ number, rows }: Attempt, of: number): Html {
  const bar = timeline(rows)
  const body = rows.map(
    (row) =>
      html`<tr>
        <td>
          <strong>${capital(row.title)}</strong
          >${row.actions.map((action) => html`<div class="sub">${capital(action)}</div>`)}${row.error === null ? null : html`<div class="bad">${row.error}</div>`}
        </td>
        <td>${state(outcomes[row.outcome])}</td>
        <td class="when" data-label="Began">${clockText(row.startedAt)}${bar(row)}</td>
        <td class="number" data-label="Took">
          ${row.durationMs === null ? 'no end' : durationText(row.durationMs)}
        </td>
      </tr> `,
  )
  const day = timeText(rows[0]?.startedAt ?? '').slice(0, 10)
  const title = of === 1 ? null : html`<p class="try">Try ${number}</p>`
  return html`${title}
    <table class="steps">
      <thead>
        <tr>
          <th scope="col">Step</th>
          <th scope="col">Result</th>
          <th scope="col">Began, ${day} UTC</th>
          <th scope="col" class="number">Took</th>
        </tr>
      </thead>
      <tbody>
        ${body}
      </tbody>
    </table>`
}

function proofTable(rows: readonly ProofRow[]): Html {
  const body = rows.map(
    (row) =>
      html`<tr>
        <td><strong>${row.what}</strong></td>
        <td data-label="Before">${row.before === null ? '–' : html`<code>${row.before}</code>`}</td>
        <td data-label="After">${row.after === null ? '–' : html`<code>${row.after}</code>`}</td>
        <td>${state({ text: row.says, tone: row.holds ? 'ok' : 'bad' })}</td>
      </tr> `,
  )
  return html`<table class="proof">
    <thead>
      <tr>
        <th scope="col">What</th>
        <th scope="col">Before</th>
        <th scope="col">After</th>
        <th scope="col">Says</th>
      </tr>
    </thead>
    <tbody>
      ${body}
    </tbody>
  </table>`
}

function evidence({ evidence: rows, missing }: RunReport): Html {
  const verdict = ({ verdict: says }: EvidenceRow): Html | null =>
    says === null ? null : html` <span class="state ${says.tone}">${says.text}</span>`
  return html`<section aria-labelledby="evidence">
    <h2 id="evidence">Evidence</h2>
    <p>
      Digests are SHA-256. Each journal record holds the hash of the one before: the last hash stands for all
      of them.
    </p>
    <dl>
      ${rows.map(
        (row) =>
          html`<dt>${row.label}</dt>
            <dd>${value(row)}${verdict(row)}</dd>`,
      )}
    </dl>
    ${missing.length === 0 ? null : html`<p class="warn">Not in the run directory, and so not in this report: ${missing.join(', ')}.</p>`}
  </section>`
}
