import { html, type Html } from '../html.ts'
import { spanMs, type StepRow } from './step-rows.ts'

/** One bar per step on the time of its node. Times stand beside it in words, so it is hidden from screen readers. */
export function timeline(rows: readonly StepRow[]): (row: StepRow) => Html {
  const end = Math.max(1, spanMs(rows))
  const percent = (ms: number): number => Math.round((ms / end) * 1000) / 10
  return ({ offsetMs, durationMs, outcome }) => {
    const width = Math.max(1, percent(durationMs ?? 0))
    const x = Math.min(percent(offsetMs), 100 - width)
    return html`<svg
      class="bar"
      viewBox="0 0 100 10"
      preserveAspectRatio="none"
      aria-hidden="true"
      focusable="false"
    >
      <rect class="${outcome}" x="${x}" width="${width}" height="10" />
    </svg>`
  }
}
