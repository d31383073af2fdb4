import { word } from '../assess/command-text.ts'
import { command, hint, onNode, rule, some, type OnNode } from './assess-shapes.ts'

interface PodsOfOwner {
  readonly node: string
  readonly namespace: string
  /** `Deployment/web`, `ReplicaSet/web-5c9f` */
  readonly owner: string
  readonly pods: readonly string[]
}

interface Workload {
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

const verb = (names: readonly string[], one: string, many: string): string =>
  names.length === 1 ? one : many

/** What the rest of the cluster has to be able to do while one node is away. */
export const clusterRules = {
  'PRE-CAPACITY': rule<
    PodsOfOwner & {
      /** One line for each other node: `a2: memory: needs 2 GiB, 512 MiB free`. */
      obstacles: readonly string[]
      fitsAlone: boolean
      why: 'no room' | 'volume' | 'only node' | 'not decided'
      reason: string | null
    }
  >({
    severity: 'inhibitor',
    waivable: true,
    title: 'Pods find no place while a node is away',
    text: ({ node, namespace, owner, pods, obstacles, fitsAlone, why, reason }) => {
      const who = `${some(pods)} of ${namespace} (${owner})`
      const describe = command(`kubectl -n ${word(namespace)} get pods ${pods.map(word).join(' ')} -o wide`)
      switch (why) {
        case 'only node':
          return {
            summary: `${who} ${verb(pods, 'has', 'have')} no other node than ${node}`,
            diagnosis: 'The cluster has one node: everything on it is down while it moves.',
            remediations: [hint('announce the outage, or add a node first'), describe],
          }
        case 'volume':
          return {
            summary: `${who} ${verb(pods, 'waits', 'wait')} for ${node}: the volume is bound to it`,
            diagnosis: 'Down while the node moves, whatever room there is elsewhere.',
            remediations: [
              hint('announce the outage, or move the data to a volume other nodes reach'),
              describe,
            ],
          }
        case 'not decided':
          return {
            summary: `whether ${who} on ${node} ${verb(pods, 'fits', 'fit')} elsewhere cannot be told: ${reason ?? 'its rules are not understood'}`,
            diagnosis: 'What could not be worked out is not a yes.',
            remediations: [describe],
          }
        case 'no room':
          return {
            summary: `${who} on ${node} ${verb(pods, 'fits', 'fit')} on no other node${fitsAlone ? ' once the larger pods of the node have moved' : ''} (${obstacles[0] ?? ''}${obstacles.length > 1 ? `, and ${obstacles.length - 1} more` : ''})`,
            diagnosis: `Evicted, ${verb(pods, 'it stays', 'they stay')} Pending until ${node} is back. ${obstacles.join('; ')}`,
            remediations: [
              hint('make room on another node, add a node, or accept the outage with a waiver'),
              describe,
              command("kubectl describe nodes | grep -A 9 '^Allocated resources'"),
            ],
          }
      }
    },
  }),
  'PRE-HEADROOM': rule<{ node: string; resource: string; free: string; total: string; percent: number }>({
    severity: 'medium',
    title: 'Little room is left while a node is away',
    text: ({ node, resource, free, total, percent }) => ({
      summary: `while ${node} is away, ${percent} % of ${resource} is free on the other nodes (${free} of ${total})`,
      diagnosis:
        'Counted by requests. Below 10 % a rollout, a larger pod or a second failure finds no place.',
      remediations: [
        hint('scale something down for the time of the move, or add a node'),
        command("kubectl describe nodes | grep -A 9 '^Allocated resources'"),
      ],
    }),
  }),
  'PRE-SINGLE-REPLICA': rule<Workload & { node: string; pod: string }>({
    severity: 'medium',
    title: 'A workload runs with one replica',
    text: ({ node, kind, namespace, name, pod }) => ({
      summary: `${kind} ${namespace}/${name} has one replica, on ${node}: it is down from the eviction of ${pod} until another is ready`,
      diagnosis:
        'An eviction deletes the pod first; its replacement starts afterwards and needs its image, volume and start time.',
      remediations: [
        hint(
          kind === 'Deployment'
            ? 'run two for the time of the move if it bears it, or announce the outage'
            : 'announce the outage, or run a second replica if it bears it',
        ),
        command(`kubectl -n ${word(namespace)} scale ${word(`${kind.toLowerCase()}/${name}`)} --replicas=2`),
      ],
    }),
  }),
  'PRE-JOBS': rule<{ node: string; namespace: string; job: string; pods: readonly string[] }>({
    severity: 'medium',
    title: 'A Job is at work on a node',
    text: ({ node, namespace, job, pods }) => ({
      summary: `the Job ${namespace}/${job} runs on ${node} (${some(pods)}): evicted, it starts again from the beginning`,
      diagnosis: 'The eviction counts as a failure of the pod, and a Job has a limit of them (backoffLimit).',
      remediations: [
        hint('let it end before the node is drained'),
        command(
          `kubectl -n ${word(namespace)} wait --for=condition=complete --timeout=1h ${word(`job/${job}`)}`,
        ),
      ],
    }),
  }),
  'PRE-BASELINE': rule<Workload & { desired: number; ready: number }>({
    severity: 'high',
    title: 'A workload is not complete now',
    text: ({ kind, namespace, name, desired, ready }) => ({
      summary: `${kind} ${namespace}/${name} has ${ready} of ${desired} pods ready`,
      diagnosis: 'After the move nobody could tell old trouble from new.',
      remediations: [
        hint('mend it, scale it to what runs, or remove it'),
        command(`kubectl -n ${word(namespace)} describe ${word(`${kind.toLowerCase()}/${name}`)}`),
      ],
    }),
  }),
  'PRE-DAEMONSET': rule<Omit<Workload, 'kind'> & { desired: number; ready: number }>({
    severity: 'high',
    title: 'A DaemonSet is not complete now',
    text: ({ namespace, name, desired, ready }) => ({
      summary: `the DaemonSet ${namespace}/${name} has ${ready} of ${desired} pods ready`,
      diagnosis:
        'It is one pod on each node: network, storage or monitoring of some node is missing already, and after the move nobody could tell old trouble from new.',
      remediations: [
        hint('mend it first'),
        command(`kubectl -n ${word(namespace)} get pods -o wide | grep ${word(name)}`),
        command(`kubectl -n ${word(namespace)} describe ${word(`daemonset/${name}`)}`),
      ],
    }),
  }),
  'PRE-COMPETING': rule<{
    controller: string
    does: string
    found: readonly Workload[]
    stop: string
    /** A run stops it by itself. */
    isPaused: boolean
  }>({
    severity: 'high',
    title: 'Another controller works on nodes or workloads',
    text: ({ controller, does, found, stop, isPaused }) => ({
      summary: `${controller} runs in this cluster (${some(found.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`))}): ${does}`,
      diagnosis: 'Two hands on one node undo each other. It has to stand still while nodes move.',
      remediations: [
        hint(
          isPaused
            ? 'nothing: a run stops it before its first node and lets it go on after its last (unless plan --no-pause); to do it yourself'
            : 'stop it for the time of the move, and note how it was before',
        ),
        command(stop),
      ],
    }),
  }),
  'PRE-BACKUP-COVERAGE': rule<{ tool: string; volumes: readonly string[]; nodes: readonly string[] }>({
    severity: 'high',
    title: 'The backup tool leaves volumes out',
    text: ({ tool, volumes, nodes }) => ({
      summary: `${tool} is installed, but its file-system backup does not read hostPath volumes: ${some(volumes)} on ${some(nodes)}`,
      diagnosis:
        'local-path makes hostPath volumes by default. The backup of such a namespace succeeds and holds the objects without the data (vmware-tanzu/velero site/content/docs/main/file-system-backup.md).',
      remediations: [
        hint('copy these directories yourself, as the findings PRE-LOCALPV say, and try a restore'),
        command(
          `kubectl get persistentvolume ${volumes.map(word).join(' ')} -o custom-columns=NAME:.metadata.name,PATH:.spec.hostPath.path,CLAIM:.spec.claimRef.name`,
        ),
      ],
    }),
  }),
  'PRE-WEBHOOKS': rule<{
    kind: string
    configuration: string
    webhook: string
    service: string
    /** Null when it is not certain who answers. */
    node: string | null
    pods: readonly string[]
    rules: readonly string[]
  }>({
    severity: 'inhibitor',
    title: 'An admission webhook may be left without an answer',
    text: ({ kind, configuration, webhook, service, node, pods, rules }) => {
      const refused = `While nobody answers, the API refuses: ${rules.join('; ') || 'what its rules name'}. If these are pods, the replacement cannot be made either.`
      const [namespace = '', name = ''] = service.split('/')
      return {
        summary:
          node === null
            ? `the webhook ${webhook} refuses when ${service} does not answer; which nodes answer was not read`
            : `the webhook ${webhook} is answered by ${some(pods)} (${service}) on ${node} only, and refuses when nobody answers`,
        diagnosis: refused,
        remediations: [
          hint('see that pods on two nodes answer: run a second replica on another one'),
          command(
            `kubectl -n ${word(namespace)} get endpoints ${word(name)} -o custom-columns=NODES:.subsets[*].addresses[*].nodeName`,
          ),
          command(
            `kubectl get ${kind.toLowerCase()} ${word(configuration)} -o yaml > ${word(`${configuration}.yaml`)}`,
          ),
        ],
      }
    },
  }),
  'PRE-WEBHOOK-DEAD': rule<{
    kind: string
    configuration: string
    webhook: string
    service: string
    exists: boolean
    notReady: number
    rules: readonly string[]
    /** Namespaces it is asked about; null = all, or not known. */
    namespaces: readonly string[] | null
  }>({
    severity: 'inhibitor',
    title: 'An admission webhook has nobody who answers',
    text: ({ kind, configuration, webhook, service, exists, notReady, rules, namespaces }) => {
      const [namespace = ''] = service.split('/')
      const where = namespaces === null ? '' : ` in ${some(namespaces)}`
      return {
        summary: `the webhook ${webhook} refuses when nobody answers, and ${
          exists
            ? `${service} has no ready endpoint${notReady === 0 ? '' : ` (${notReady} not ready)`}`
            : `its Service ${service} does not exist`
        }`,
        diagnosis: `The API refuses now: ${rules.join('; ') || 'what its rules name'}${where}. What a drain evicts may not be made again.`,
        remediations: [
          hint('bring back what answers, or remove the webhook if nobody needs it any more'),
          command(`kubectl -n ${word(namespace)} get services,endpoints,pods`),
          command(
            `kubectl get ${kind.toLowerCase()} ${word(configuration)} -o yaml > ${word(`${configuration}.yaml`)}`,
          ),
          command(`kubectl delete ${kind.toLowerCase()} ${word(configuration)}`),
        ],
      }
    },
  }),
  'PRE-CERTS': rule<
    OnNode & {
      certificates: readonly { path: string; subject: string; notAfter: string; days: number }[]
      authority: boolean
    }
  >({
    severity: 'high',
    title: 'Certificates of k3s run out',
    text: ({ node, address, certificates, authority }) => {
      const [first] = certificates
      if (first === undefined)
        return {
          summary: `no certificate of k3s on ${node} could be read: nobody knows how long they hold`,
          diagnosis:
            'k3s renews them only when it starts, and a node whose certificates have run out does not come back.',
          remediations: [
            { type: 'command', text: `k3os-migrate inventory ${node}` },
            hint(`on the node: ls /var/lib/rancher/k3s/server/tls /var/lib/rancher/k3s/agent`),
          ],
        }
      const when =
        first.days < 0
          ? `ran out on ${first.notAfter.slice(0, 10)}`
          : `${certificates.length === 1 ? 'runs' : 'run'} out, the first on ${first.notAfter.slice(0, 10)} (${first.days} days)`
      return {
        summary: `${certificates.length} ${authority ? 'CA ' : ''}${certificates.length === 1 ? 'certificate' : 'certificates'} of k3s on ${node} ${when}`,
        diagnosis: `${authority ? 'k3s never renews its CAs by itself; after that day no node joins and no client is believed.' : 'k3s renews them only when it starts, within 90 days of their end.'} ${certificates.map(({ path, notAfter }) => `${path}: ${notAfter}`).join('; ')}`,
        remediations: authority
          ? [
              hint(
                'k3s v1.26 and later replaces them (`k3s certificate rotate-ca`); before that, grow a new cluster beside this one. Keep the old ones either way',
              ),
              command(
                `(umask 077; ${onNode(address, 'sudo tar -C /var/lib/rancher/k3s/server -czf - tls')} > ${word(`${node}-tls.tar.gz`)})`,
              ),
            ]
          : [
              hint(
                'restart k3s on this node, servers one by one and before agents, then take the inventory again',
              ),
              command(onNode(address, 'sudo rc-service k3s-service restart')),
              hint(
                'a move in place does that by itself: it restarts the node into k3OS first, and goes no further when they were not renewed',
              ),
            ],
      }
    },
  }),
}
