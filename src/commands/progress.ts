import { mark } from '../output/style.ts'
import type { RunEvent } from '../migrate/runner.ts'

/** One line of conversation for an event, or null for what need not be said to a person. */
export function eventLine(event: RunEvent): string | null {
  switch (event.type) {
    case 'node.start':
      return `${mark('name', event.node)}${event.attempt > 1 ? ` (attempt ${event.attempt})` : ''}\n`
    case 'action':
      return `  ${event.describe}\n`
    case 'step.progress':
    case 'step.heartbeat':
    case 'drain.pod':
      return `    ${mark('dim', event.message)}\n`
    case 'step.end':
      return event.outcome === 'failed' ? `  ${mark('bad', `${event.step} failed`)}\n` : null
    case 'node.end':
      return `  ${mark(event.outcome === 'done' ? 'ok' : 'warn', event.outcome)}\n`
    case 'step.start':
    case 'approval.wait':
      return null
  }
}
