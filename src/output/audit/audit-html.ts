import { isInhibitor, type Finding } from '../../core/findings.ts'
import { html, type Html } from '../html.ts'
import { checkTable, serious } from '../report/findings-html.ts'
import { isSerious, openFindings } from '../report/findings-order.ts'
import { htmlPage, state, type State } from '../report/html-parts.ts'
import { capital, plural, timeText } from '../report/words.ts'
import { severityWord } from '../findings-table.ts'
import { answers, bestFits, type Answers } from './answers.ts'
import { auditCss } from './audit-css.ts'
import { byRule, nodeIds, numberingRedactor, type Audit, type RuleGroup } from './audit.ts'
import { evidenceSection } from './evidence.ts'
import { fitLegend, fitMatrix } from './fit-matrix.ts'
import { fitTones, nodeSection, nodeState, type NodeSection } from './node-section.ts'
import { basisText, timeTable } from './time-table.ts'
import { minutesText } from './time-text.ts'

/** The auditor's document: one page that answers four questions first, then one section for each machine. */
export function auditHtml(audit: Audit): string {
  const { assessment } = audit
  const says = answers(assessment)
  const findings = openFindings(assessment)
  const ids = nodeIds(audit)
  const link = linkTo(ids)
  const sections = nodeSections(audit, findings, ids)
  const redactor = numberingRedactor()
  return htmlPage({
    title: `${says.headline} k3OS assessment of ${assessment.metadata.createdAt.slice(0, 10)}`,
    skip: { id: 'nodes', text: 'Skip to the nodes' },
    css: auditCss,
    main: html`<header>
        <p class="kicker">
          k3OS migration assessment
          <span>${timeText(assessment.metadata.createdAt)}</span>
          ${cluster(audit)}
        </p>
        <h1>${says.headline}</h1>
        ${fourAnswers(says, audit, link)} ${contents()}
      </header>
      ${fitSection(audit)}
      <section aria-labelledby="nodes">
        <h2 id="nodes">Nodes</h2>
        ${overview(sections, audit, link)}
      </section>
      <section aria-labelledby="findings">
        <h2 id="findings">Findings</h2>
        ${findings.length === 0 ? html`<p>Nothing was found.</p>` : rulesTable(byRule(findings), link)}
        ${clusterFindings(findings)}
      </section>
      <section aria-labelledby="time">
        <h2 id="time">Time</h2>
        <p>
          An estimate, not a promise: nodes move one after the other, agents before servers. Each is the sum
          of ${basisText()}.
        </p>
        ${timeTable(assessment.nodes, link)}
      </section>
      ${sections.map((section) => nodeSection(section, assessment, redactor))}
      <section aria-labelledby="checks">
        <h2 id="checks">Checks</h2>
        <p>
          Every check that was made, also those that found nothing: what is not in this table was not looked
          for.
        </p>
        ${checkTable(assessment)}
      </section>
      ${evidenceSection(audit)}`,
    footer: html`Made by k3os-migrate ${assessment.metadata.toolVersion} from the inventory with SHA-256
    ${assessment.inventory.sha256}. Secrets are shown as numbers: equal numbers are equal secrets.`,
  })
}

type Link = (name: string) => Html

function linkTo(ids: ReadonlyMap<string, string>): Link {
  return (name) => {
    const id = ids.get(name)
    return id === undefined ? html`${name}` : html`<a href="#${id}">${name}</a>`
  }
}

function cluster({ inventory }: Audit): Html | null {
  if (inventory.cluster?.status !== 'read') return html`<span>cluster not read</span>`
  return html`<span>${inventory.cluster.facts.server}</span>`
}

const rulesShown = 6

function fourAnswers(says: Answers, { assessment }: Audit, link: Link): Html {
  const hidden = says.stops.length - rulesShown
  const waived = assessment.summary.waived
  return html`<div class="answers">
    <section aria-labelledby="leave">
      <h2 id="leave">Can we leave?</h2>
      ${says.canWeLeave.map((sentence) => html`<p>${sentence}</p>`)}
    </section>
    <section aria-labelledby="stops">
      <h2 id="stops">What stops us?</h2>
      ${
        says.stops.length === 0
          ? html`<p>Nothing that was looked for.</p>`
          : html`<ul>
              ${says.stops.slice(0, rulesShown).map((group) => stopItem(group, link))}
            </ul>`
      }
      ${hidden > 0 ? html`<p><a href="#findings">and ${hidden} more</a></p>` : null}
      ${waived === 0 ? null : html`<p>${plural(waived, 'finding')} accepted by a waiver.</p>`}
    </section>
    <section aria-labelledby="risk">
      <h2 id="risk">What is at risk?</h2>
      ${
        says.atRisk.length === 0
          ? html`<p>No data that is only on one machine was found.</p>`
          : html`<ul>
              ${says.atRisk.map((text) => html`<li>${text}</li>`)}
            </ul>`
      }
    </section>
    <section class="first" aria-labelledby="first">
      <h2 id="first">What to do first</h2>
      <ol>
        ${says.first.map(({ what, hint, command }) => html`<li>${what}${hint === null ? null : html` ${capital(hint)}.`}${command === null ? null : html`<pre>${command}</pre>`}</li>`)}
      </ol>
    </section>
  </div>`
}

const nodesShown = 3

function stopItem({ title, findings }: RuleGroup, link: Link): Html {
  return html`<li>${title}: ${nodeLinks(findings, link)}</li>`
}

function nodeLinks(findings: readonly Finding[], link: Link): Html {
  const names = [...new Set(findings.flatMap(({ nodes }) => nodes))]
  if (names.length === 0) return html`${findings.length === 1 ? 'the cluster' : `${findings.length} times`}`
  const more = names.length - nodesShown
  const shown = names.slice(0, nodesShown).map((name, index) => html`${index === 0 ? '' : ', '}${link(name)}`)
  return html`${shown}${more > 0 ? ` and ${plural(more, 'other node')}` : ''}`
}

function contents(): Html {
  const places = [
    ['fit', 'Fit'],
    ['nodes', 'Nodes'],
    ['findings', 'Findings'],
    ['time', 'Time'],
    ['checks', 'Checks'],
    ['evidence', 'Evidence'],
  ] as const
  return html`<nav aria-label="Contents">
    <ul>
      ${places.map(([id, text]) => html`<li><a href="#${id}">${text}</a></li>`)}
    </ul>
  </nav>`
}

function fitSection({ assessment }: Audit): Html {
  const { targets, nodes } = assessment
  return html`<section aria-labelledby="fit">
    <h2 id="fit">Which target fits which node</h2>
    ${
      targets.length === 0 || nodes.length === 0
        ? html`<p>There was nothing to compare.</p>`
        : html`${fitLegend()}
            <div class="scroll" tabindex="0" role="group" aria-label="Nodes and targets">
              ${fitMatrix(assessment)}
            </div>
            <p class="dim">The reasons stand with each node.</p>`
    }
  </section>`
}

function nodeSections(
  { assessment, inventory, configs }: Audit,
  findings: readonly Finding[],
  ids: ReadonlyMap<string, string>,
): NodeSection[] {
  const fit = Map.groupBy(assessment.fit, ({ node }) => node)
  const found = new Map<string, Finding[]>()
  for (const f of findings) for (const node of f.nodes) found.set(node, [...(found.get(node) ?? []), f])
  const entries = new Map(inventory.nodes.map((entry) => [entry.name, entry]))
  for (const entry of inventory.nodes)
    if (
      entry.status === 'read' &&
      entry.facts.hostname !== null &&
      !entries.has(entry.facts.hostname.toLowerCase())
    )
      entries.set(entry.facts.hostname.toLowerCase(), entry)
  return assessment.nodes.map((node) => {
    const entry = entries.get(node.name)
    const own = [
      ...(found.get(node.name) ?? []),
      ...(entry === undefined || entry.name === node.name ? [] : (found.get(entry.name) ?? [])),
    ]
    return {
      id: ids.get(node.name) ?? '',
      node,
      entry,
      config: entry === undefined ? undefined : configs.get(entry.name),
      findings: own,
      fit: fit.get(node.name) ?? [],
    }
  })
}

function overview(sections: readonly NodeSection[], { assessment }: Audit, link: Link): Html {
  const best = bestFits(assessment)
  const rows = sections.map(({ node, entry, findings }) => {
    const verdict = best.get(node.name)
    const version = entry?.status === 'read' ? entry.facts.k3s.version : null
    return html`<tr>
      <td><strong>${link(node.name)}</strong></td>
      <td data-label="Role">${node.role}</td>
      <td data-label="k3s">${version ?? '–'}</td>
      <td data-label="Best fit">
        ${verdict === undefined ? '–' : state({ text: verdict, tone: fitTones[verdict] })}
      </td>
      <td data-label="State">${state(nodeState(findings))}</td>
      <td class="number" data-label="Takes">${minutesText(node.estimate.seconds)}</td>
    </tr> `
  })
  return html`<table class="nodes">
    <thead>
      <tr>
        <th scope="col">Node</th>
        <th scope="col">Role</th>
        <th scope="col">k3s</th>
        <th scope="col">Best fit</th>
        <th scope="col">State</th>
        <th scope="col" class="number">Takes</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`
}

function rulesTable(groups: readonly RuleGroup[], link: Link): Html {
  const rows = groups.map(({ rule, title, findings }) => {
    const [worst] = findings
    return html`<tr>
      <td>
        <span class="${severityTone(worst)}">${severityWord(worst)}</span>
      </td>
      <td>
        <strong>${title}</strong>
        <div class="sub"><code>${rule}</code></div>
      </td>
      <td class="number" data-label="Times">${findings.length}</td>
      <td data-label="Where">${nodeLinks(findings, link)}</td>
    </tr> `
  })
  return html`<table class="rules">
    <thead>
      <tr>
        <th scope="col">Severity</th>
        <th scope="col">What</th>
        <th scope="col" class="number">Times</th>
        <th scope="col">Where</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`
}

function severityTone(f: Finding): State['tone'] {
  if (f.waiver !== null) return 'dim'
  if (isInhibitor(f)) return 'bad'
  return isSerious(f) ? 'warn' : 'dim'
}

/** Those of one node stand in its section. */
function clusterFindings(findings: readonly Finding[]): Html | null {
  const own = findings.filter(({ nodes }) => nodes.length === 0)
  return own.length === 0
    ? null
    : html`<h3>About the cluster as a whole</h3>
        ${own.map((f) => serious(f, 4))}`
}
