import { formatDuration } from '../core/duration.ts'
import type { RehearsedNode, Rehearsal } from '../core/rehearsal.ts'
import { stepDefaults } from '../core/plan.ts'
import { durationText, plural } from './report/words.ts'
import { mark, plain } from './style.ts'
import { table } from './table.ts'

/** A rehearsal for people: the nodes on the time of the run, what was held up, and how it would end. */
export function rehearsalText(rehearsal: Rehearsal, width: number): string {
  return [
    table(
      ['NODE', 'BEGINS', 'DRAIN', 'REBUILD', 'REJOIN', 'WATCHED', 'ENDS', 'RESULT'],
      rehearsal.nodes.map(nodeRow),
      { width },
    ),
    heldText(rehearsal, width),
    ...rehearsal.pauses.map(
      ({ atMs, untilMs, why }) =>
        `\n${offset(atMs)} paused for ${formatDuration(untilMs - atMs)}: ${plain(why)}\n`,
    ),
    '\n',
    endText(rehearsal),
  ].join('')
}

export const stateTones: Readonly<Record<RehearsedNode['state'], 'ok' | 'warn' | 'bad' | 'dim'>> = {
  moved: 'ok',
  'as before': 'warn',
  'needs a person': 'bad',
  'not begun': 'dim',
}

function nodeRow({ name, state, steps }: RehearsedNode) {
  const took = (...ids: string[]) => {
    const own = steps.filter(({ id }) => ids.includes(id))
    return own.length === 0 ? '-' : formatDuration(own.reduce((sum, one) => sum + one.endMs - one.startMs, 0))
  }
  const [first] = steps
  const end = Math.max(0, ...steps.map(({ endMs }) => endMs))
  return [
    { text: name, role: 'name' as const },
    first === undefined ? '-' : offset(first.startMs),
    took('drain'),
    took('reimage', 'hand-over', 'probe', 'trial'),
    took('compare', 'release', 'join', 'workloads'),
    took('soak'),
    first === undefined ? '-' : offset(end),
    { text: state, role: stateTones[state] },
  ]
}

function heldText({ held }: Rehearsal, width: number): string {
  if (held.length === 0) return '\nNo eviction was held up.\n'
  const rows = held.map(({ atMs, node, pod, budget, acceptedMs, why }) => [
    offset(atMs),
    node,
    pod,
    budget ?? '-',
    acceptedMs === null ? { text: 'for good', role: 'bad' as const } : formatDuration(acceptedMs - atMs),
    why,
  ])
  return `\n${table(['AT', 'NODE', 'EVICTION OF', 'BUDGET', 'HELD', 'WHY'], rows, { width })}`
}

function endText({ exit, reason, tookMs, nodes, evictions, placements }: Rehearsal): string {
  const moved = nodes.filter(({ state }) => state === 'moved').length
  const pods = `${plural(evictions, 'eviction')}, ${plural(placements, 'pod')} placed anew\n`
  if (exit === 0)
    return `${mark('ok', `all ${plural(moved, 'node')} moved`)} in ${durationText(tookMs)}; ${pods}`
  const failed = nodes.find(({ state }) => state === 'needs a person' || state === 'as before')
  const step = failed?.steps.findLast(({ outcome }) => outcome === 'failed')?.id
  const where =
    failed === undefined
      ? ''
      : ` at ${failed.name}${step === undefined ? '' : `, "${stepDefaults[step].title}"`}`
  return [
    `${mark('bad', `it would stop after ${durationText(tookMs)}${where}`)} with exit code ${exit}: ${plain(reason ?? '')}\n`,
    `${moved} of ${plural(nodes.length, 'node')} moved; ${pods}`,
  ].join('')
}

/** `0:07:30` from the beginning. */
export function offset(ms: number): string {
  const seconds = Math.round(ms / 1000)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${Math.floor(seconds / 3600)}:${two(Math.floor((seconds % 3600) / 60))}:${two(seconds % 60)}`
}
