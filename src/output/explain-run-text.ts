import type { RunExplanation } from '../core/explain-run.ts'
import { pausedNowText } from '../core/paused-now.ts'
import { timeText } from './report/words.ts'
import { mark, plain, type Role } from './style.ts'

const phases: Readonly<Record<RunExplanation['phase'], { readonly text: string; readonly role: Role }>> = {
  pending: { text: 'has not begun', role: 'dim' },
  running: { text: 'is under way', role: 'warn' },
  'rolling-back': { text: 'is being undone', role: 'warn' },
  'rolled-back': { text: 'is as it was before', role: 'warn' },
  done: { text: 'is done', role: 'ok' },
  reverting: { text: 'is on its way back to k3OS', role: 'warn' },
  reverted: { text: 'was taken back to k3OS', role: 'warn' },
}

/** For people: where the node stands, what it waits for, what would happen, what to type. */
export function runExplanationText(explained: RunExplanation): string {
  const { node, role, place, of, phase, attempt, step, failure, wouldUndo, stillToDo, paused, next } =
    explained
  const rows: [string, string][] = []
  if (step !== null) {
    rows.push(['step', `${step.title}: ${step.outcome}`], ['since', timeText(step.since)])
    if (step.outcome === 'under way')
      rows.push(['until', timeText(new Date(Date.parse(step.since) + step.allowedMs).toISOString())])
    if (step.doing !== null) rows.push(['doing', step.doing])
    if (step.waitsFor !== null) rows.push(['last said', step.waitsFor])
  }
  if (failure !== null) rows.push(['failed', failure])
  if (wouldUndo === null)
    rows.push(['on failure', 'there is only forward: it stays cordoned, and resume goes on'])
  else if (wouldUndo.length > 0) rows.push(['on failure', `undone: ${wouldUndo.join(', ')}`])
  if (stillToDo.length > 0) rows.push(['to do', stillToDo.join(', ')])
  for (const one of paused) rows.push(['stands still', pausedNowText(one)])
  if (next !== null) rows.push(['next', next])
  const width = Math.max(0, ...rows.map(([name]) => name.length)) + 2
  const state = phases[phase]
  const tries = attempt > 1 ? `, attempt ${attempt}` : ''
  return [
    `${mark('name', node)} (${role}, ${place} of ${of}) ${mark(state.role, state.text)}${tries}\n`,
    ...rows.map(([name, text]) => `${name.padEnd(width)}${plain(text)}\n`),
  ].join('')
}
