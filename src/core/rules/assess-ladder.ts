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
  readonly newest: number
}

const when = ({ from, to, doubtful }: Ending): string =>
  `${from === to ? `from k3s v1.${from} on` : `from k3s v1.${from} to v1.${to} on (which of them is not known)`}${doubtful ? '; look it up before you rely on the minor' : ''}`

/** `kubelet-arg network-plugin` → `network-plugin` */
const nameOf = (what: string): string => what.replace(/^.* /, '').replace(/^--/, '').replace(/=.*$/, '')

const ending = (facts: Ending, why: string) => {
  const { what, nodes, instead, now, newest } = facts
  if (what === null)
    return {
      summary: `which flags k3s is started with on ${some(nodes)} was not read, so not what of them breaks up to v1.${newest}`,
      remediations: [hint('see the failed readings of this machine, then take the inventory again')],
    }
  return {
    summary: `${what} (${some(nodes)}) breaks ${when(facts)}`,
    diagnosis: `${why} ${now ? 'The version that runs now should not take it either: look whether k3s starts at all.' : 'A move keeps the version of k3s; this counts when you upgrade afterwards, one minor at a time.'}`,
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
