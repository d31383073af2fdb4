import type { AssessedNode } from '../../core/assessment.ts'
import { estimateBasis } from '../../core/assess/estimate.ts'
import { html, type Html } from '../html.ts'
import { minutesText } from './time-text.ts'

/** Agents before servers, the quickest first: the order a plan begins with. */
function inOrderOfMove(nodes: readonly AssessedNode[]): AssessedNode[] {
  return nodes.toSorted(
    (a, b) =>
      Number(a.role !== 'agent') - Number(b.role !== 'agent') || a.estimate.seconds - b.estimate.seconds,
  )
}

/** Each node as a bar on the time of all of them, one after the other. */
export function timeTable(nodes: readonly AssessedNode[], link: (name: string) => Html): Html {
  const total = nodes.reduce((sum, { estimate }) => sum + estimate.seconds, 0)
  let start = 0
  const rows = inOrderOfMove(nodes).map(({ name, role, evictions, estimate }) => {
    const bar = barOf(start, estimate.seconds, Math.max(1, total))
    start += estimate.seconds
    return html`<tr>
      <td>${link(name)}</td>
      <td data-label="Role">${role}</td>
      <td class="number" data-label="Evictions">${evictions}</td>
      <td class="number" data-label="Takes">${minutesText(estimate.seconds)}</td>
      <td class="when" data-label="Done after">${minutesText(start)}${bar}</td>
    </tr> `
  })
  return html`<table class="time">
    <thead>
      <tr>
        <th scope="col">Node</th>
        <th scope="col">Role</th>
        <th scope="col" class="number">Evictions</th>
        <th scope="col" class="number">Takes</th>
        <th scope="col">Done after</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`
}

function barOf(start: number, length: number, total: number): Html {
  const percent = (seconds: number): number => Math.round((seconds / total) * 1000) / 10
  const width = Math.max(0.6, percent(length))
  return html`<svg
    class="bar"
    viewBox="0 0 100 10"
    preserveAspectRatio="none"
    aria-hidden="true"
    focusable="false"
  >
    <rect class="estimate" x="${Math.min(percent(start), 100 - width)}" width="${width}" height="10" />
  </svg>`
}

/** The arithmetic of one node, line by line. */
export function estimateTable({ estimate }: AssessedNode): Html {
  const rows = estimate.parts.map(
    ({ what, seconds, because }) =>
      html`<tr>
        <td>${what}</td>
        <td class="number" data-label="Takes">${seconds} s</td>
        <td>${because}</td>
      </tr> `,
  )
  return html`<table class="estimate">
    <thead>
      <tr>
        <th scope="col">Part</th>
        <th scope="col" class="number">Takes</th>
        <th scope="col">Because</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
      <tr>
        <td><strong>together</strong></td>
        <td class="number" data-label="Takes">${estimate.seconds} s</td>
        <td>about ${minutesText(estimate.seconds)}</td>
      </tr>
    </tbody>
  </table>`
}

/** The numbers every estimate is made of. */
export function basisText(): string {
  const {
    secondsPerEviction,
    longestGraceSeconds,
    bytesPerSecond,
    reimageSeconds,
    rejoinSeconds,
    soakSeconds,
  } = estimateBasis
  return [
    `${secondsPerEviction} s for each evicted pod`,
    `the longest grace period (at most ${longestGraceSeconds / 60} min) as often as the strictest budget makes a drain wait`,
    `data read twice at ${bytesPerSecond / 1024 / 1024} MiB/s`,
    `${reimageSeconds / 60} min to change the system`,
    `${rejoinSeconds / 60} min to rejoin`,
    `${soakSeconds.agent / 60} min to watch an agent and ${soakSeconds.server / 60} min a server`,
  ].join('; ')
}
