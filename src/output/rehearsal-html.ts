import { stepDefaults } from '../core/plan.ts'
import type { RehearsedNode, RehearsedStep, Rehearsal } from '../core/rehearsal.ts'
import { html, type Html } from './html.ts'
import { offset, stateTones } from './rehearsal-text.ts'
import { definitions, htmlPage, state as stateMark, type Row } from './report/html-parts.ts'
import { durationText, plural, timeText } from './report/words.ts'

/** One page without scripts: all nodes on the time of the run. */
export function rehearsalHtml(rehearsal: Rehearsal): string {
  const { nodes, exit, reason, startsAt, tookMs, faults, target, planDigest } = rehearsal
  const moved = nodes.filter(({ state }) => state === 'moved').length
  const headline =
    exit === 0
      ? `All ${plural(nodes.length, 'node')} would move in ${durationText(tookMs)}.`
      : `It would stop after ${durationText(tookMs)}, with ${moved} of ${plural(nodes.length, 'node')} moved.`
  const pods = `${plural(rehearsal.evictions, 'eviction')}, ${rehearsal.placements} placed anew`
  const about: Row[] = [
    { label: 'Target', value: target, kind: 'text' },
    { label: 'Begins', value: timeText(startsAt), kind: 'text' },
    { label: 'Exit code', value: String(exit), kind: 'text' },
    { label: 'Pods', value: pods, kind: 'text' },
    { label: 'Goes wrong', value: faults.length === 0 ? 'nothing' : faults.join(', '), kind: 'text' },
    { label: 'Plan', value: planDigest, kind: 'code' },
  ]
  return htmlPage({
    title: `Rehearsal: ${headline}`,
    skip: { id: 'nodes', text: 'Skip to the nodes' },
    css: chartCss,
    main: html`<header>
        <p class="kicker">k3OS migration, rehearsed in a simulation</p>
        <h1>${headline}</h1>
        ${reason === null ? null : html`<p class="lead">${reason}</p>`} ${definitions(about)}
      </header>
      <section aria-labelledby="time">
        <h2 id="time">Time</h2>
        ${legend()} ${chart(rehearsal)}
      </section>
      <section aria-labelledby="nodes">
        <h2 id="nodes">Nodes</h2>
        ${nodeTable(nodes)}
      </section>
      <section aria-labelledby="held">
        <h2 id="held">Evictions that were held up</h2>
        ${heldTable(rehearsal)}
      </section>`,
    footer: html`A simulation from the plan's inventory. Real machines take the time they take.`,
  })
}

const phases = {
  prepare: 'prepare',
  drain: 'drain',
  rebuild: 'rebuild',
  rejoin: 'prove and rejoin',
  soak: 'watch',
} as const
type Phase = keyof typeof phases

function phaseOf({ id }: RehearsedStep): Phase {
  switch (id) {
    case 'check':
    case 'capture':
    case 'stage':
    case 'place':
    case 'defuse':
    case 'steer':
    case 'cordon':
    case 'fingerprint':
      return 'prepare'
    case 'drain':
      return 'drain'
    case 'reimage':
    case 'hand-over':
    case 'probe':
    case 'trial':
    case 'return':
      return 'rebuild'
    case 'compare':
    case 'release':
    case 'join':
    case 'confirm':
    case 'restore':
    case 'uncordon':
    case 'workloads':
      return 'rejoin'
    case 'soak':
      return 'soak'
  }
}

const chartCss = `
:root { --drain-bar: #d09a3c; --rebuild-bar: #7a5ea8; --rejoin-bar: #3f7fb5; }
.chart { display: block; width: 100%; height: auto; font: 11px var(--sans); }
.chart text { fill: var(--ink); } .chart .tick { fill: var(--soft); }
.chart line { stroke: var(--line); } .chart .pause { fill: var(--panel); }
.chart .prepare, .key.prepare { fill: var(--idle-bar); background: var(--idle-bar); }
.chart .drain, .key.drain { fill: var(--drain-bar); background: var(--drain-bar); }
.chart .rebuild, .key.rebuild { fill: var(--rebuild-bar); background: var(--rebuild-bar); }
.chart .rejoin, .key.rejoin { fill: var(--rejoin-bar); background: var(--rejoin-bar); }
.chart .soak, .key.soak { fill: var(--ok-bar); background: var(--ok-bar); }
.chart .failed { fill: var(--bad-bar); }
.key { display: inline-block; width: .8em; height: .8em; margin-right: .35em; print-color-adjust: exact; }
.legend { font: .85rem/1.4 var(--sans); display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; list-style: none; padding: 0; }
`

function legend(): Html {
  return html`<ul class="legend">
    ${Object.entries(phases).map(([phase, name]) => html`<li><span class="key ${phase}"></span>${name}</li>`)}
  </ul>`
}

const size = { left: 150, width: 820, row: 24, top: 22 } as const

/** One line per node; the table below says the same in words. */
function chart({ nodes, tookMs, pauses }: Rehearsal): Html {
  const x = (ms: number): number =>
    Math.round((size.left + (ms / Math.max(1, tookMs)) * size.width) * 10) / 10
  const height = size.top + nodes.length * size.row + 4
  const ticks = tickTimes(tookMs)
  return html`<svg
    class="chart"
    viewBox="0 0 1000 ${height}"
    role="img"
    aria-label="Steps of each node over time"
  >
    ${ticks.map(
      (ms) =>
        html`<line x1="${x(ms)}" x2="${x(ms)}" y1="${size.top - 4}" y2="${height}" />
          <text class="tick" x="${x(ms)}" y="12" text-anchor="middle">${offset(ms)}</text>`,
    )}
    ${pauses.map(
      ({ atMs, untilMs }) =>
        html`<rect
          class="pause"
          x="${x(atMs)}"
          y="${size.top}"
          width="${x(untilMs) - x(atMs)}"
          height="${height}"
        />`,
    )}
    ${nodes.map((node, place) => nodeBars(node, size.top + place * size.row, x))}
  </svg>`
}

function nodeBars({ name, steps }: RehearsedNode, y: number, x: (ms: number) => number): Html {
  const label = name.length > 22 ? `${name.slice(0, 21)}…` : name
  return html`<text x="${size.left - 8}" y="${y + 14}" text-anchor="end">${label}</text> ${steps.map(
      (step) => {
        const kind = step.outcome === 'failed' ? 'failed' : phaseOf(step)
        const width = Math.max(1, x(step.endMs) - x(step.startMs))
        const title = `${name}: ${stepDefaults[step.id].title}, ${durationText(step.endMs - step.startMs)}`
        return html`<rect
          class="${kind}"
          x="${x(step.startMs)}"
          y="${y + 3}"
          width="${Math.round(width * 10) / 10}"
          height="${size.row - 8}"
          ><title>${title}</title></rect
        >`
      },
    )}`
}

const tickSteps = [1, 5, 10, 30, 60, 180, 360, 720, 1440, 10_080].map((minutes) => minutes * 60_000)

function tickTimes(tookMs: number): number[] {
  const step = tickSteps.find((one) => tookMs / one <= 8) ?? tookMs
  return Array.from({ length: Math.floor(tookMs / step) + 1 }, (_, count) => count * step)
}

function nodeTable(nodes: readonly RehearsedNode[]): Html {
  const rows = nodes.map(({ name, state, steps }) => {
    const [first] = steps
    const end = Math.max(0, ...steps.map(({ endMs }) => endMs))
    return html`<tr>
      <td><strong>${name}</strong></td>
      <td>${stateMark({ text: state, tone: stateTones[state] })}</td>
      <td class="number" data-label="Begins">${first === undefined ? '–' : offset(first.startMs)}</td>
      <td class="number" data-label="Ends">${first === undefined ? '–' : offset(end)}</td>
      <td class="number" data-label="Takes">
        ${first === undefined ? '–' : durationText(end - first.startMs)}
      </td>
    </tr> `
  })
  return html`<table>
    <thead>
      <tr>
        <th scope="col">Node</th>
        <th scope="col">Result</th>
        <th scope="col" class="number">Begins</th>
        <th scope="col" class="number">Ends</th>
        <th scope="col" class="number">Takes</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`
}

function heldTable({ held }: Rehearsal): Html {
  if (held.length === 0) return html`<p>None: every pod could go when it was asked to.</p>`
  const rows = held.map(
    ({ atMs, node, pod, budget, acceptedMs, why }) =>
      html`<tr>
        <td class="number" data-label="At">${offset(atMs)}</td>
        <td>
          <strong>${pod}</strong>
          <div class="sub">on ${node}</div>
        </td>
        <td data-label="Budget">${budget ?? '–'}</td>
        <td data-label="Held">${acceptedMs === null ? 'for good' : durationText(acceptedMs - atMs)}</td>
        <td data-label="Why">${why}</td>
      </tr> `,
  )
  return html`<table>
    <thead>
      <tr>
        <th scope="col" class="number">At</th>
        <th scope="col">Pod</th>
        <th scope="col">Budget</th>
        <th scope="col">Held</th>
        <th scope="col">Why</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`
}
