import type { Finding, Location } from '../findings.ts'
import { readArguments } from '../k3s/arguments.ts'
import { configuredFlags, type ConfiguredFlags } from '../k3s/configured-flags.ts'
import { flagRefusal } from '../k3s/flags.ts'
import { breaksOf, breaksOfFlag, breaksOfVariable, endingApis, minorOf, type Break } from '../k3s/ladder.ts'
import { aboutNode, type AssessContext, type Check, type Machine } from './context.ts'
import { found } from './found.ts'

/** What stands in the way of newer k3s later on: a move keeps the version, so nothing of this stops one. */
export const ladderChecks: readonly Check[] = [
  {
    rules: ['PRE-FLAG-REFUSED', 'PRE-LADDER-FLAG', 'PRE-LADDER-GATE'],
    needs: ['machines'],
    run: commandLines,
  },
  { rules: ['PRE-LADDER-API'], needs: ['cluster'], run: apis },
]

/** One thing k3s is given, on every node that has it. */
interface Use {
  readonly nodes: Set<string>
  /** Where the configurations say it, with the nodes by `file line`; empty when k3s was only seen running with it. */
  readonly places: Map<string, { readonly place: Location; readonly nodes: string[] }>
}

interface Ending extends Use {
  own: Break
  /** It breaks at the version that a node runs now. */
  now: boolean
}

interface Refusal extends Use {
  readonly word: string
  readonly reason: string
}

function commandLines({ machines, configs }: AssessContext): Finding[] {
  const endings = new Map<string, Ending>()
  const refusals = new Map<string, Refusal>()
  const unread: Machine[] = []
  for (const machine of machines) {
    const { entry, facts, node, runsK3os, name } = machine
    if (entry === null || facts === null || !runsK3os || facts.k3s.role === 'none') continue
    const verdict = configs.get(entry.name)
    const configured =
      verdict?.config === undefined || verdict.origins === undefined
        ? null
        : configuredFlags(
            { config: verdict.config, origins: verdict.origins },
            { mode: facts.mode ?? 'local', k3osVersion: facts.os.version ?? '' },
          )
    const words = facts.service.arguments
    if (words === null && configured === null) {
      unread.push(machine)
      continue
    }
    const version = facts.k3s.version ?? node?.kubeletVersion ?? null
    const minor = minorOf(version ?? '')
    const ends = (own: Break, place: Location | null, readSince: number): void => {
      const from = Math.max(own.from, readSince)
      const use = endings.get(own.what) ?? { own, now: false, ...nobody() }
      endings.set(own.what, use)
      if (from < use.own.from || use.nodes.size === 0)
        use.own = { ...own, from, to: Math.max(own.to, readSince) }
      use.now ||= minor !== null && from <= minor
      note(use, name, place)
    }
    for (const own of breaksOf(words ?? [])) ends(own, null, 0)
    for (const { flag, value, place, readSince } of configured?.flags ?? [])
      for (const own of breaksOfFlag(flag, value)) ends(own, place, readSince)
    for (const { name: variable, place } of configured?.variables ?? [])
      for (const own of breaksOfVariable(variable)) ends(own, place, 0)

    for (const { word, reason, place } of [
      ...refusedWords(words ?? [], version),
      ...refusedFlags(configured, facts.k3s.role, version),
    ]) {
      const key = `${word} ${reason}`
      const use = refusals.get(key) ?? { word, reason, ...nobody() }
      refusals.set(key, use)
      note(use, name, place)
    }
  }
  const subject = { kind: 'Cluster' }
  return [
    ...[...refusals.values()].map(({ word, reason, ...use }) =>
      found(
        'PRE-FLAG-REFUSED',
        { word, reason, ...whereUsed(use) },
        { subject, discriminator: word, location: firstPlace(use) },
      ),
    ),
    ...[...endings.values()].map(({ own, now, ...use }) =>
      found(
        own.kind === 'gate' ? 'PRE-LADDER-GATE' : 'PRE-LADDER-FLAG',
        { ...own, ...whereUsed(use), now },
        {
          subject,
          discriminator: own.what,
          severity: now ? 'medium' : 'info',
          location: firstPlace(use),
        },
      ),
    ),
    ...unread.flatMap((machine) => [
      found(
        'PRE-FLAG-REFUSED',
        { word: null, reason: '', nodes: [machine.name], places: [] },
        { subject: aboutNode(machine), severity: 'info', result: 'skip' },
      ),
      ...(['PRE-LADDER-FLAG', 'PRE-LADDER-GATE'] as const).map((id) =>
        found(
          id,
          { ...nothingKnown, nodes: [machine.name], now: false },
          { subject: aboutNode(machine), severity: 'info', result: 'skip' },
        ),
      ),
    ]),
  ]
}

const nothingKnown = { what: null, from: 0, to: 0, doubtful: false, instead: null, places: [] }

function nobody(): Use {
  return { nodes: new Set(), places: new Map() }
}

function note(use: Use, node: string, place: Location | null): void {
  use.nodes.add(node)
  if (place === null) return
  const key = `${place.file} ${place.line} ${place.path}`
  const at = use.places.get(key) ?? { place, nodes: [] }
  use.places.set(key, at)
  if (at.nodes.at(-1) !== node) at.nodes.push(node)
}

function whereUsed({ nodes, places }: Use) {
  return {
    nodes: [...nodes],
    places: [...places.values()].map(({ place: { file, line, path }, nodes: on }) => ({
      file,
      line,
      path: path ?? '',
      nodes: on,
    })),
  }
}

function firstPlace({ places }: Use): Location | undefined {
  return [...places.values()][0]?.place
}

interface Refused {
  readonly word: string
  readonly reason: string
  readonly place: Location | null
}

/** Words that the k3s of this version stops at. Ends of flags are not among them: the ladder has those. */
function refusedWords(words: readonly string[], version: string | null): Refused[] {
  let role: 'server' | 'agent' = 'server'
  return readArguments(words, false).flatMap((argument): Refused[] => {
    if (argument.kind === 'role') role = argument.role
    if (argument.kind === 'refused') return [{ ...argument, place: null }]
    if (argument.kind !== 'flag') return []
    const reason = refusalNow(argument.flag, role, version)
    return reason === null ? [] : [{ word: `--${argument.flag.name}`, reason, place: null }]
  })
}

/** The same of the configuration, in words only: k3s leaves out what a file says for the other role. */
function refusedFlags(
  configured: ConfiguredFlags | null,
  role: NonNullable<Machine['facts']>['k3s']['role'],
  version: string | null,
): Refused[] {
  if (configured === null) return []
  const known = role === 'server' || role === 'agent' ? role : null
  return [
    ...configured.refused,
    ...configured.flags.flatMap(({ flag, readSince, place }): Refused[] => {
      const reason = readSince > 0 || known === null ? null : refusalNow(flag, known, version)
      return reason === null ? [] : [{ word: `--${flag.name}`, reason, place }]
    }),
  ]
}

function refusalNow(...[flag, role, version]: Parameters<typeof flagRefusal>): string | null {
  const reason = flagRefusal(flag, role, version)
  return reason?.startsWith('removed in') === true ? null : reason
}

function apis({ cluster }: AssessContext): Finding[] {
  const now = minorOf(cluster?.version ?? '')
  if (cluster === null || now === null) return []
  return endingApis(cluster.apiGroups, now).map((end) =>
    found('PRE-LADDER-API', end, {
      subject: { kind: 'Cluster' },
      discriminator: `${end.version}/${end.kinds.join('+')}`,
    }),
  )
}
