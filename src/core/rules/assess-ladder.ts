import { word } from '../assess/command-text.ts'
import { command, hint, rule, some } from './assess-shapes.ts'

/** One thing that a later k3s does not take any more. */
interface Ending {
  /** Null when the command line was not read. */
  readonly what: string | null
  readonly nodes: readonly string[]
  readonly from: number
  readonly to: number
  readonly doubtful: boolean
  readonly instead: string | null
  /** At the version that runs now. */
  readonly now: boolean
  readonly places: readonly Place[]
}

/** A value of k3OS's configuration, and the nodes that have it there. */
interface Place {
  readonly file: string
  readonly line: number | null
  readonly path: string
  readonly nodes: readonly string[]
}

const when = ({ from, to, doubtful }: Ending): string =>
  `${from === to ? `from k3s v1.${from} on` : `from k3s v1.${from} to v1.${to} on (which of them is not known)`}${doubtful ? '; look it up before you rely on the minor' : ''}`

/** `kubelet-arg network-plugin` → `network-plugin` */
const nameOf = (what: string): string => what.replace(/^.* /, '').replace(/^--/, '').replace(/=.*$/, '')

/** ` It stands in FILE, line 12 (k3os.k3sArgs[1]), on s1.`; a few places, and how many more. */
function standing(places: readonly Place[]): string {
  if (places.length === 0) return ''
  const texts = places.map(
    ({ file, line, path, nodes }) =>
      `${file}${line === null ? '' : `, line ${line}`} (${path}), on ${some(nodes)}`,
  )
  const shown = texts.slice(0, 3).join('; ')
  return ` It stands in ${shown}${texts.length > 3 ? `; and in ${texts.length - 3} more places` : ''}.`
}

const unread = (nodes: readonly string[]) => ({
  summary: `which flags k3s is started with on ${some(nodes)} was not read, so not which of them break now or later`,
  remediations: [hint('see the failed readings of this machine, then take the inventory again')],
})

const ending = (facts: Ending, why: string) => {
  const { what, nodes, instead, now } = facts
  if (what === null) return unread(nodes)
  return {
    summary: `${what} (${some(nodes)}) breaks ${when(facts)}`,
    diagnosis: `${why} ${now ? 'The version that runs now should not take it either: look whether k3s starts at all.' : 'A move keeps the version of k3s; this counts when you upgrade afterwards, one minor at a time.'}${standing(facts.places)}`,
    remediations: [
      hint(
        instead === null
          ? 'take it out on each of these nodes before that upgrade'
          : `take it out on each of these nodes before that upgrade; what to use instead: ${instead}`,
      ),
      command(
        `sudo grep -rlF -e ${word(nameOf(what))} /var/lib/rancher/k3os /k3os/system/config.yaml /etc/rancher/k3s`,
      ),
    ],
  }
}

export const ladderRules = {
  'PRE-FLAG-REFUSED': rule<{
    /** Null when the command line was not read. */
    word: string | null
    reason: string
    nodes: readonly string[]
    places: readonly Place[]
  }>({
    severity: 'medium',
    title: 'The k3s that runs now does not take a flag',
    text: ({ word: flag, reason, nodes, places }) =>
      flag === null
        ? unread(nodes)
        : {
            summary: `${flag} (${some(nodes)}): k3s of this version stops at it: ${reason}`,
            diagnosis: `k3s ends at the first flag it does not know, so the node loses k3s at its next start, be it k3OS or the new system. A node that runs well with it was given a later patch release than the tables know, or was not started since the flag was written.${standing(places)}`,
            remediations: [
              hint('take it out, or correct it, before the node is moved'),
              command(
                `sudo grep -rnF -e ${word(nameOf(flag))} /var/lib/rancher/k3os /k3os/system/config.yaml /etc/rancher/k3s`,
              ),
            ],
          },
  }),
  'PRE-LADDER-FLAG': rule<Ending>({
    severity: 'info',
    title: 'A flag ends with a later k3s',
    text: (facts) =>
      ending(facts, 'k3s, or the component it passes the flag on to, stops at a flag it does not know.'),
  }),
  'PRE-LADDER-GATE': rule<Ending>({
    severity: 'info',
    title: 'A feature gate ends with a later k3s',
    text: (facts) =>
      ending(facts, 'A component stops at a gate it does not know, or that has one value for good.'),
  }),
  'PRE-LADDER-API': rule<{
    version: string
    minor: number
    instead: string | null
    kinds: readonly string[]
  }>({
    severity: 'info',
    title: 'An API version ends with a later k3s',
    text: ({ version, minor, instead, kinds }) => ({
      summary: `${version} (${kinds.join(', ')}) ends with k3s v1.${minor}${instead === null ? '; nothing takes its place' : `; use ${instead}`}`,
      diagnosis:
        'The API server turns stored objects into newer versions by itself. Manifests, charts and programs that name this version break; those that could be read are named by PRE-LADDER-MANIFEST, PRE-LADDER-APPLIED and PRE-LADDER-RELEASE.',
      remediations: [
        hint('see who still asks for it, and change manifests, charts and programs before that upgrade'),
        command('kubectl get --raw /metrics | grep apiserver_requested_deprecated_apis'),
      ],
    }),
  }),
}
