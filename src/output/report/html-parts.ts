import { html, type Html } from '../html.ts'
import { reportCss } from './report-css.ts'

/** What every report page is made of: the shell, lists of facts, states. */

export interface Row {
  readonly label: string
  readonly value: string
  /** `code` is set in a fixed width: identifiers, paths, digests. */
  readonly kind: 'text' | 'code'
}

export type Tone = 'ok' | 'warn' | 'bad'

export interface State {
  readonly text: string
  readonly tone: Tone | 'dim'
}

/** One self-contained page: no scripts, nothing loaded from elsewhere, and a policy that says so to the browser. */
export function htmlPage(page: {
  readonly title: string
  /** Where the skip link leads: id and words. */
  readonly skip: { readonly id: string; readonly text: string }
  /** Added to the styles every report has. */
  readonly css?: string
  readonly main: Html
  readonly footer: Html
}): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <title>${page.title}</title>
        <style>
          ${{ html: reportCss + (page.css ?? '') }}
        </style>
      </head>
      <body>
        <a class="skip" href="#${page.skip.id}">${page.skip.text}</a>
        <main>${page.main}</main>
        <footer>${page.footer}</footer>
      </body>
    </html> `.html
}

export function definitions(rows: readonly Row[]): Html {
  return html`<dl>
    ${rows.map(
      (row) =>
        html`<dt>${row.label}</dt>
          <dd>${value(row)}</dd>`,
    )}
  </dl>`
}

export function value({ kind, value: text }: Row): Html {
  return kind === 'code' ? html`<code>${text}</code>` : html`${text}`
}

export function state({ text, tone }: State): Html {
  return html`<span class="state ${tone}">${text}</span>`
}
