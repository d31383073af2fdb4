import { word } from '../assess/command-text.ts'
import { command, hint, rule, some } from './assess-shapes.ts'

interface Written {
  readonly version: string
  readonly minor: number
  readonly instead: string | null
  readonly kinds: readonly string[]
  /** Files, objects or releases that name the version. */
  readonly places: readonly string[]
  readonly nodes: readonly string[]
  /** The version that runs does not take it any more. */
  readonly gone: boolean
  /** Why nobody could look. */
  readonly unread?: string
}

const ends = ({ version, minor, instead, kinds, gone }: Written): string =>
  `${version} ${kinds.join(', ')}, which ${gone ? `k3s does not take since v1.${minor}` : `ends with k3s v1.${minor}`}${instead === null ? '; nothing takes its place' : `; use ${instead}`}`

/** Whose texts break when an API version ends: the API server turns only what it has stored. */
export const apiRules = {
  'PRE-LADDER-MANIFEST': rule<Written>({
    severity: 'info',
    title: 'A manifest on a server names an API version that ends',
    text: (facts) => ({
      summary: `${some(facts.places)} in server/manifests (${some(facts.nodes)}) ${facts.places.length === 1 ? 'names' : 'name'} ${ends(facts)}`,
      diagnosis:
        'k3s applies these files at every start. One that it cannot apply it logs and leaves, so the objects stay as they were, until somebody wonders. Files that k3s itself wrote come new with each version.',
      remediations: [
        hint('change your own files before that upgrade'),
        command(`sudo grep -rlF -e ${word(facts.version)} /var/lib/rancher/k3s/server/manifests`),
      ],
    }),
  }),
  'PRE-LADDER-APPLIED': rule<Written>({
    severity: 'info',
    title: 'An object was applied in an API version that ends',
    text: (facts) =>
      facts.unread === undefined
        ? {
            summary: `${some(facts.places)} ${facts.places.length === 1 ? 'was' : 'were'} applied as ${ends(facts)}`,
            diagnosis:
              'The object itself is safe: the API server turns it into a newer version. The text it came from, in a repository or a pipeline, fails at the next `kubectl apply` after that upgrade.',
            remediations: [
              hint('change the texts these objects come from; `kubectl convert` does it'),
              command(
                'kubectl get ' +
                  `${word(facts.kinds.map((kind) => kind.toLowerCase()).join(','))} --all-namespaces -o name`,
              ),
            ],
          }
        : {
            summary: `in which API versions some objects were applied was not read: ${facts.unread}`,
            diagnosis:
              'Other kinds were read; of these it is not known whether their texts still work later on.',
            remediations: [
              hint('let the account of the inventory list them: the manifest has all that it asks for'),
              command('k3os-migrate rbac inventory'),
            ],
          },
  }),
  'PRE-LADDER-RELEASE': rule<Written>({
    severity: 'info',
    title: 'A Helm release names an API version that ends',
    text: (facts) =>
      facts.unread === undefined
        ? {
            summary: `the Helm ${facts.places.length === 1 ? 'release' : 'releases'} ${some(facts.places)} ${facts.places.length === 1 ? 'names' : 'name'} ${ends(facts)}`,
            diagnosis:
              'Helm compares with the manifest of the last release. After that upgrade it refuses every upgrade of the release, even to a chart that no longer names the version (helm/helm docs, Deprecated Kubernetes APIs).',
            remediations: [
              hint(
                'upgrade the chart, or rewrite the release with the plugin mapkubeapis, before that upgrade of k3s',
              ),
              ...facts.places.slice(0, 3).map((place) => {
                const [namespace = '', name = ''] = place.split('/')
                return command(`helm -n ${word(namespace)} mapkubeapis ${word(name)} --dry-run`)
              }),
            ],
          }
        : {
            summary: `Helm releases were not read: ${facts.unread}`,
            diagnosis: 'Which API versions they name is not known.',
            remediations: [
              hint('let a person who may read Secrets look'),
              command('helm list --all-namespaces'),
            ],
          },
  }),
}
