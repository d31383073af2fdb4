import type { Assessment, AssessmentDocument } from '../../core/assessment.ts'
import { isInhibitor, sortFindings, type Finding } from '../../core/findings.ts'
import { placeText, severityWord, subjectText } from '../findings-table.ts'
import { html, type Html } from '../html.ts'
import { capital } from './words.ts'
import { isSerious, openFindings, summaryText } from './findings-order.ts'

/** What was found before the move, worst first, and every check with its result. */
export function assessmentSections(assessment: AssessmentDocument): Html {
  const shown = openFindings(assessment)
  const notes = shown.filter((f) => !isSerious(f))
  return html`<section aria-labelledby="findings">
      <h2 id="findings">Findings</h2>
      <p>Assessed ${assessment.metadata.createdAt.slice(0, 10)}, before the move.</p>
      ${shown.length === 0 ? html`<p>Nothing was found.</p>` : null}
      ${shown.filter(isSerious).map((f) => serious(f))}
      ${
        notes.length === 0
          ? null
          : html`<h3>Notes</h3>
              ${noteTable(notes)}`
      }
    </section>
    <section aria-labelledby="checks">
      <h2 id="checks">Checks</h2>
      ${checkTable(assessment)}
    </section> `
}

/** One finding in full: what, where, why, what to do. `level` is that of its heading. */
export function serious(f: Finding, level: 3 | 4 = 3): Html {
  const summary = summaryText(f)
  const tone = isInhibitor(f) ? 'bad' : 'warn'
  return html`<div class="finding ${f.waiver === null ? tone : null}">
    ${level === 3 ? html`<h3>${summary}</h3>` : html`<h4>${summary}</h4>`}
    <p class="meta">
      <span class="${f.waiver === null ? tone : 'dim'}">${severityWord(f)}</span> · ${f.rule} ·
      ${subjectText(f.subject)} ${placeText(f)}
    </p>
    ${f.waiver === null ? null : html`<p>Accepted by ${f.waiver.approvedBy}${f.waiver.expires === null ? null : ` until ${f.waiver.expires}`}: ${f.waiver.reason}</p>`}
    ${f.diagnosis === '' ? null : html`<p>${f.diagnosis}</p>`}
    ${f.remediations.map(({ type, text }) => (type === 'hint' ? html`<p>${capital(text)}</p>` : html`<pre>${text}</pre>`))}
  </div> `
}

export function noteTable(findings: readonly Finding[]): Html {
  const rows = sortFindings(findings).map(
    (f) =>
      html`<tr>
        <td>${severityWord(f)}</td>
        <td>${f.rule}</td>
        <td>${f.summary}</td>
      </tr> `,
  )
  return html`<table>
    <thead>
      <tr>
        <th scope="col">Severity</th>
        <th scope="col">Rule</th>
        <th scope="col">What</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`
}

const results = {
  pass: { text: 'nothing found', tone: 'ok' },
  fail: { text: 'found', tone: 'warn' },
  error: { text: 'not fully looked at', tone: 'bad' },
  skip: { text: 'not looked at', tone: 'dim' },
} as const

export function checkTable({ checks }: Pick<Assessment | AssessmentDocument, 'checks'>): Html {
  const rows = checks.map(({ rule, title, result, findings, reason }) => {
    const { text, tone } = results[result]
    return html`<tr>
      <td><code>${rule}</code></td>
      <td>${title}</td>
      <td>
        <span class="state ${tone}">${result === 'fail' ? `${findings} ${text}` : text}</span
        >${reason === null || result === 'fail' ? null : html`<div class="sub">${reason}</div>`}
      </td>
    </tr> `
  })
  return html`<table>
    <thead>
      <tr>
        <th scope="col">Rule</th>
        <th scope="col">What was looked for</th>
        <th scope="col">Result</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`
}
