import type { AssessedNode, Assessment, Fit } from '../../core/assessment.ts'
import { isInhibitor, type Finding } from '../../core/findings.ts'
import type { InventoryNode } from '../../core/inventory.ts'
import type { Redactor } from '../../core/redact.ts'
import { html, type Html } from '../html.ts'
import { noteTable, serious } from '../report/findings-html.ts'
import { isSerious } from '../report/findings-order.ts'
import { definitions, state, type Row, type State } from '../report/html-parts.ts'
import { foundRows } from '../report/node-report.ts'
import { capital, plural } from '../report/words.ts'
import type { NodeConfig } from './audit.ts'
import { configTable } from './config-table.ts'
import { dataTable } from './data-table.ts'
import { estimateTable } from './time-table.ts'

/** One machine to move, and everything known about it. */
export interface NodeSection {
  readonly id: string
  readonly node: AssessedNode
  readonly entry: InventoryNode | undefined
  readonly config: NodeConfig | undefined
  readonly findings: readonly Finding[]
  readonly fit: readonly Fit[]
}

export function nodeSection(section: NodeSection, assessment: Assessment, redactor: Redactor): Html {
  const { id, node, entry, config, findings, fit } = section
  const notes = findings.filter((f) => !isSerious(f))
  return html`<article aria-labelledby="${id}">
    <header>
      <h2 id="${id}">${node.name}</h2>
      ${state(nodeState(findings))}
      ${node.role === 'unknown' ? null : html`<span class="dim">${node.role}</span>`}
    </header>
    <h3>Findings</h3>
    ${findings.length === 0 ? html`<p>Nothing was found.</p>` : null}
    ${findings.filter(isSerious).map((f) => serious(f, 4))} ${notes.length === 0 ? null : noteTable(notes)}
    ${
      fit.length === 0
        ? null
        : html`<h3>Targets</h3>
            ${fitTable(fit)}`
    }
    <h3>Machine</h3>
    ${definitions([...foundRows(entry), ...machineRows(entry)])}
    <h3>Data</h3>
    ${dataTable(node.data, assessment)}
    <h3>Time</h3>
    ${estimateTable(node)}
    <h3>Configuration as k3OS reads it</h3>
    ${config === undefined ? html`<p class="bad">Not known: the machine was not read.</p>` : configTable(config, redactor)}
  </article> `
}

export function nodeState(findings: readonly Finding[]): State {
  const stops = findings.filter(isInhibitor).length
  if (stops > 0) return { text: `${plural(stops, 'finding')} in the way`, tone: 'bad' }
  const serious = findings.filter((f) => f.waiver === null && isSerious(f)).length
  return serious > 0
    ? { text: `can move, ${plural(serious, 'finding')} to heed`, tone: 'warn' }
    : { text: 'can move', tone: 'ok' }
}

export const fitTones: Readonly<Record<Fit['verdict'], State['tone']>> = {
  fits: 'ok',
  'fits with changes': 'warn',
  'does not fit': 'bad',
  unknown: 'dim',
}

/** Targets with the same answer share a row. */
function fitTable(fit: readonly Fit[]): Html {
  const groups = Map.groupBy(fit, ({ verdict, reasons }) =>
    [verdict, ...reasons.map(({ text }) => text)].join('\n'),
  )
  const rows = [...groups.values()].flatMap(([first, ...more]) => {
    if (first === undefined) return []
    const targets = [first, ...more].map(({ target }) => target)
    return [
      html`<tr>
        <td>${state({ text: first.verdict, tone: fitTones[first.verdict] })}</td>
        <td>${targets.join(', ')}</td>
        <td>${first.reasons.map(({ text }) => html`<div>${capital(text)}</div>`)}</td>
      </tr> `,
    ]
  })
  return html`<table class="fit">
    <thead>
      <tr>
        <th scope="col">Fit</th>
        <th scope="col">Targets</th>
        <th scope="col">Why</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`
}

function machineRows(entry: InventoryNode | undefined): Row[] {
  if (entry?.status !== 'read') return []
  const { facts } = entry
  const ports = facts.interfaces.map(({ name, mac, addresses, driver, wireless }) =>
    [name, ...addresses, mac, driver ?? 'no driver of its own', ...(wireless ? ['Wi-Fi'] : [])].join(', '),
  )
  const rows: readonly (readonly [string, string | null, Row['kind']])[] = [
    ['Installed', facts.install === 'unknown' ? null : facts.install, 'text'],
    ['cgroup', facts.cgroup === 'unknown' ? null : facts.cgroup, 'text'],
    ['CPU level', facts.cpu.x86Level === null ? null : `x86-64-v${facts.cpu.x86Level}`, 'text'],
    ...ports.map((port) => ['Network', port, 'text'] as const),
    ['System UUID', facts.systemUuid, 'code'],
  ]
  return rows.flatMap(([label, value, kind]) => (value === null ? [] : [{ label, value, kind }]))
}
