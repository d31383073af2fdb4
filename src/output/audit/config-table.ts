import type { Origin } from '../../core/k3os/reading.ts'
import { leaves } from '../../core/path.ts'
import type { Redactor } from '../../core/redact.ts'
import { html, type Html } from '../html.ts'
import type { NodeConfig } from './audit.ts'

/** What k3OS makes of the configuration of one node: every value with the place it was written in. */
export function configTable(config: NodeConfig, redactor: Redactor): Html {
  switch (config.status) {
    case 'unread':
      return html`<p class="bad">Not known: ${config.reason}.</p>`
    case 'rejected': {
      const { file, line } = config.position
      const without = config.without.map(
        (path, index) => html`${index === 0 ? '' : ', '}<code>${path}</code>`,
      )
      return html`<p class="bad">
          k3OS rejects it as a whole: ${config.reason} (<code>${file}:${line}</code>).
        </p>
        ${without.length === 0 ? null : html`<p>Written by somebody and not applied: ${without}.</p>`}`
    }
    case 'merged': {
      const values = leaves(redactor.redactConfig(config.config)).filter(
        ([path, value]) => !isEmpty(value, config.origins.get(path)),
      )
      if (values.length === 0) return html`<p>Nothing is configured.</p>`
      return table(values, config.origins)
    }
  }
}

/** `k3os: {}`, `install: {}` and the fields of a file that nobody wrote stand in every configuration and say nothing. */
function isEmpty(value: unknown, origin: Origin | undefined): boolean {
  if (value === '') return origin?.verbatim !== true
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

function table(values: readonly (readonly [string, unknown])[], origins: ReadonlyMap<string, Origin>): Html {
  const rows = values.map(
    ([path, value]) =>
      html`<tr>
        <td><code>${path}</code></td>
        <td><code class="value">${typeof value === 'string' ? value : JSON.stringify(value)}</code></td>
        <td>${originText(origins.get(path))}</td>
      </tr> `,
  )
  return html`<table class="config">
    <thead>
      <tr>
        <th scope="col">Setting</th>
        <th scope="col">Value</th>
        <th scope="col">Written in</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`
}

function originText(origin: Origin | undefined): Html {
  if (origin === undefined || origin.place === null) return html`<span class="dim">k3OS's own default</span>`
  const { place, overrode, verbatim } = origin
  const notes = [
    ...(verbatim ? [] : ['k3OS changes what is written']),
    ...overrode.map((one) => `instead of ${one.place.file}:${one.place.line}`),
  ]
  return html`<code>${place.file}:${place.line}</code
    >${notes.map((note) => html`<div class="sub">${note}</div>`)}`
}
