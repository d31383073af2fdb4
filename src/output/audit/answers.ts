import { sizeText } from '../../core/assess/size-text.ts'
import type { DataItem } from '../../core/assess/data-map.ts'
import type { Assessment, Fit } from '../../core/assessment.ts'
import type { Finding } from '../../core/findings.ts'
import { list, plural } from '../report/words.ts'
import { summaryText } from '../report/findings-order.ts'
import type { Tone } from '../report/html-parts.ts'
import { byRule, inhibitorsOf, type RuleGroup } from './audit.ts'
import { minutesText } from './time-text.ts'

/** The four questions of the first page, answered in sentences. */
export interface Answers {
  readonly headline: string
  readonly tone: Tone
  readonly canWeLeave: readonly string[]
  /** What stops a move, by rule. */
  readonly stops: readonly RuleGroup[]
  readonly atRisk: readonly string[]
  readonly first: readonly FirstStep[]
}

export interface FirstStep {
  readonly what: string
  readonly hint: string | null
  readonly command: string | null
}

export function answers(assessment: Assessment): Answers {
  const { inhibitors, nodes, nodesRead } = assessment.summary
  const stops = byRule(inhibitorsOf(assessment))
  return {
    headline: headline(inhibitors, assessment.nodes.length),
    tone: inhibitors === 0 ? 'ok' : 'bad',
    canWeLeave: [
      `${nodesRead} of ${plural(nodes, 'machine')} could be read.`,
      ...fitSentences(assessment),
      ...timeSentence(assessment),
    ],
    stops,
    atRisk: riskSentences(assessment),
    first: firstSteps(stops, assessment),
  }
}

function headline(inhibitors: number, toMove: number): string {
  if (inhibitors > 0)
    return `Not yet: ${plural(inhibitors, 'finding')} ${inhibitors === 1 ? 'stops' : 'stop'} a move.`
  return toMove === 0 ? 'Nothing to leave: no machine runs k3OS.' : 'Yes: nothing stops a move.'
}

const best = ['fits', 'fits with changes', 'unknown', 'does not fit'] as const satisfies Fit['verdict'][]

/** The best verdict of each node over all targets. */
export function bestFits({ fit }: Pick<Assessment, 'fit'>): Map<string, Fit['verdict']> {
  const verdicts = new Map<string, Fit['verdict']>()
  for (const { node, verdict } of fit) {
    const before = verdicts.get(node)
    if (before === undefined || best.indexOf(verdict) < best.indexOf(before)) verdicts.set(node, verdict)
  }
  return verdicts
}

function fitSentences(assessment: Assessment): string[] {
  if (assessment.targets.length === 0) return []
  const verdicts = [...bestFits(assessment).values()]
  const count = (verdict: Fit['verdict']): number => verdicts.filter((one) => one === verdict).length
  const says: readonly (readonly [number, string, string])[] = [
    [count('fits'), 'fits a target as it is', 'fit a target as they are'],
    [count('fits with changes'), 'fits with changes', 'fit with changes'],
    [count('does not fit'), 'fits none', 'fit none'],
    [count('unknown'), 'cannot be judged', 'cannot be judged'],
  ]
  const parts = says
    .filter(([number]) => number > 0)
    .map(([number, one, many]) => `${number} ${number === 1 ? one : many}`)
  return parts.length === 0 ? [] : [`${list(parts)}.`]
}

function timeSentence({ nodes }: Assessment): string[] {
  if (nodes.length === 0) return []
  const seconds = nodes.reduce((sum, { estimate }) => sum + estimate.seconds, 0)
  return [`One after the other they take about ${minutesText(seconds)}.`]
}

function riskSentences({ nodes, findings }: Assessment): string[] {
  const onlyHere = nodes.flatMap(({ data }) => data.filter(({ place }) => place !== 'network'))
  const of = (kind: DataItem['kind']) => onlyHere.filter((item) => item.kind === kind)
  const alone = findings.filter(({ rule, waiver }) => rule === 'PRE-SINGLE-SERVER' && waiver === null)
  const unread = nodes.filter(({ read }) => !read)
  const volumes = of('volume')
  const hostPaths = of('hostPath')
  const emptyDirs = of('emptyDir')
  const orphans = of('orphan')
  return [
    ...alone.map(({ nodes: [node = ''] }) => `The only copy of the datastore is on ${node}.`),
    ...count(
      volumes.length,
      `volume on the disk of one machine only (${sizes(volumes)})`,
      `volumes on the disk of one machine only (${sizes(volumes)})`,
    ),
    ...count(
      hostPaths.length,
      `directory of a machine that pods write to (${sizes(hostPaths)})`,
      `directories of machines that pods write to (${sizes(hostPaths)})`,
    ),
    ...count(
      orphans.length,
      `volume directory nobody claims (${sizes(orphans)})`,
      `volume directories nobody claims (${sizes(orphans)})`,
    ),
    ...count(
      emptyDirs.length,
      'emptyDir that is lost with its pod, whatever the target',
      'emptyDirs that are lost with their pods, whatever the target',
    ),
    ...count(unread.length, 'machine whose disk nobody has seen', 'machines whose disks nobody has seen'),
  ]
}

function count(number: number, one: string, many: string): string[] {
  return number === 0 ? [] : [`${number} ${number === 1 ? one : many}.`]
}

function sizes(items: readonly DataItem[]): string {
  const known = items.filter(({ bytes }) => bytes !== null)
  if (known.length === 0) return 'size not known'
  const total = sizeText(known.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0))
  return known.length === items.length ? total : `${total} and what was not measured`
}

const stepsShown = 4

function firstSteps(stops: readonly RuleGroup[], assessment: Assessment): FirstStep[] {
  if (stops.length > 0) return stops.slice(0, stepsShown).map(({ findings }) => stepOf(findings))
  const target = mostFitting(assessment)
  if (target === null) return []
  return [
    {
      what: `Plan the move to ${target.title}.`,
      hint: null,
      command: `k3os-migrate plan --target ${target.id}`,
    },
  ]
}

function stepOf([first, ...more]: readonly [Finding, ...Finding[]]): FirstStep {
  const others = more.length === 0 ? '' : ` (and ${more.length} more of this kind)`
  const [node] = first.nodes
  const where = node === undefined || first.summary.includes(node) ? '' : `${node}: `
  const remedy = (type: 'hint' | 'command'): string | null =>
    first.remediations.find((one) => one.type === type)?.text ?? null
  return {
    what: `${where}${summaryText(first)}${others}.`,
    hint: remedy('hint'),
    command: remedy('command'),
  }
}

function mostFitting({ fit, targets }: Assessment): Assessment['targets'][number] | null {
  const fitting = (id: string): number =>
    fit.filter(
      ({ target, verdict }) => target === id && (verdict === 'fits' || verdict === 'fits with changes'),
    ).length
  return targets.toSorted((a, b) => fitting(b.id) - fitting(a.id))[0] ?? null
}
