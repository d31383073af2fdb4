import { word } from '../assess/command-text.ts'
import { sizeText } from '../assess/size-text.ts'
import { command, hint, onNode, rule, type OnNode } from './assess-shapes.ts'

interface PodOnNode {
  readonly node: string
  readonly namespace: string
  readonly pod: string
}

interface Budget {
  readonly node: string
  readonly namespace: string
  readonly budget: string
  readonly pods: readonly string[]
}

/** A change that lets one pod at a time go, whatever the budget said before. */
const allowOne = ({ namespace, budget }: Budget): string =>
  `kubectl -n ${word(namespace)} patch poddisruptionbudget ${word(budget)} --type merge -p '{"spec":{"minAvailable":null,"maxUnavailable":1}}'`

const saveBudget = ({ namespace, budget }: Budget): string =>
  `kubectl -n ${word(namespace)} get poddisruptionbudget ${word(budget)} -o yaml > ${word(`${namespace}-${budget}-pdb.yaml`)}`

const many = (names: readonly string[]): string =>
  names.length > 4 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ')

const someReasons = (pods: readonly { readonly pod: string; readonly why: string }[]): string => {
  const shown = pods.slice(0, 3).map(({ pod, why }) => `${pod} (${why})`)
  return [...shown, ...(pods.length > 3 ? [`${pods.length - 3} more`] : [])].join(', ')
}

const scaled = (controller: string): string => controller.replace(/^[^/]+/, (kind) => kind.toLowerCase())

interface Scratch {
  readonly name: string
  readonly bytes: number | null
}

const scratch = (volumes: readonly Scratch[]): string =>
  many(volumes.map(({ name, bytes }) => `${name} (${size(bytes)})`))

const size = (bytes: number | null): string => (bytes === null ? 'size unknown' : sizeText(bytes))

/** What stands on a node: pods, budgets, data, and upgraders that would come back for it. */
export const workloadRules = {
  'PRE-UNMANAGED': rule<PodOnNode & { gone: string | null }>({
    severity: 'inhibitor',
    waivable: true,
    title: 'A pod has no controller',
    text: ({ node, namespace, pod, gone }) => ({
      summary: `the pod ${namespace}/${pod} on ${node} ${gone === null ? 'has no controller' : `belonged to ${gone}, which is gone`}: once evicted it does not come back`,
      diagnosis: 'Draining deletes it, and nothing makes a new one.',
      remediations: [
        hint('keep its manifest, and give it a Deployment or create it again after the move'),
        command(
          `kubectl -n ${word(namespace)} get pod ${word(pod)} -o yaml > ${word(`${namespace}-${pod}.yaml`)}`,
        ),
      ],
    }),
  }),
  'PRE-NOT-REPLACED': rule<{
    node: string
    namespace: string
    /** `ReplicaSet/web-5c9f` */
    controller: string
    pods: readonly string[]
    wants: number
    runs: number
  }>({
    severity: 'low',
    title: 'Pods that their controller does not make again',
    text: ({ node, namespace, controller, pods, wants, runs }) => ({
      summary: `${many(pods)} of ${namespace} on ${node} ${pods.length === 1 ? 'does' : 'do'} not come back once evicted: ${controller} has ${runs} ${runs === 1 ? 'pod' : 'pods'} and wants ${wants}`,
      diagnosis:
        'A controller that wants fewer removes the surplus by itself within seconds. That these run shows that it was scaled down just now, or that nobody carries out what it wants. They are not counted where room is looked for.',
      remediations: [
        hint('if they are needed, scale the controller; if not, let them go before the move'),
        command(`kubectl -n ${word(namespace)} get ${word(scaled(controller))} -o wide`),
        ...(controller.startsWith('Job/')
          ? []
          : [command(`kubectl -n ${word(namespace)} scale ${word(scaled(controller))} --replicas=${runs}`)]),
      ],
    }),
  }),
  'PRE-EMPTYDIR': rule<PodOnNode & { volumes: readonly Scratch[] }>({
    severity: 'high',
    title: 'A pod keeps data in an emptyDir',
    text: ({ node, namespace, pod, volumes }) => ({
      summary: `the pod ${namespace}/${pod} on ${node} loses what is in its emptyDir when it is evicted: ${scratch(volumes)}`,
      diagnosis:
        'The new pod starts with an empty volume. For a cache that is nothing; for an upload or a queue it is loss.',
      remediations: [
        hint('if it is only a cache or scratch space, allow it in the plan; otherwise copy it out first'),
        command(
          `kubectl -n ${word(namespace)} get pod ${word(pod)} -o jsonpath='{.spec.containers[*].volumeMounts}'`,
        ),
      ],
    }),
  }),
  'PRE-EMPTYDIR-LARGE': rule<
    PodOnNode & OnNode & { volumes: readonly (Scratch & { readonly path: string })[] }
  >({
    severity: 'inhibitor',
    waivable: true,
    title: 'A pod would lose much data of an emptyDir',
    text: ({ node, address, namespace, pod, volumes }) => ({
      summary: `the pod ${namespace}/${pod} on ${node} loses what is in its emptyDir when it is evicted: ${scratch(volumes)}`,
      diagnosis:
        'More than 100 MiB is seldom scratch space. Eviction deletes it with the pod, whatever the target and the method; the new pod starts with an empty volume.',
      remediations: [
        hint('look at it; copy it out while the pod is quiet, or accept the loss by name with a waiver'),
        command(onNode(address, `sudo ls -lA ${volumes.map(({ path }) => word(path)).join(' ')}`)),
        ...volumes.map(({ name, path }) =>
          command(
            `(umask 077; ${onNode(address, `sudo tar -C ${word(path)} -czf - .`)} > ${word(`${namespace}-${pod}-${name}.tar.gz`)})`,
          ),
        ),
      ],
    }),
  }),
  'PRE-HOSTPATH': rule<OnNode & { path: string; pods: readonly string[]; bytes: number | null }>({
    severity: 'inhibitor',
    waivable: true,
    title: 'Pods write to a directory of the node',
    text: ({ node, address, path, pods, bytes }) => ({
      summary: `${path} on ${node} (${size(bytes)}) is written by ${many(pods)} through a hostPath volume`,
      diagnosis:
        'On a wiped disk the directory is missing or empty, and the pods start all the same. Kubernetes does not notice.',
      remediations: [
        hint('keep the path in the plan, or copy it off the node while the pods are stopped'),
        command(
          `(umask 077; ${onNode(address, `sudo tar -C / -czf - ${word(path.replace(/^\/+/, ''))}`)} > ${word(`${node}-${fileName(path)}.tar.gz`)})`,
        ),
      ],
    }),
  }),
  'PRE-LOCALPV': rule<
    OnNode & {
      volume: string
      claim: string | null
      pods: readonly string[]
      path: string | null
      bytes: number | null
      reclaimPolicy: string
      kept: boolean
    }
  >({
    severity: 'inhibitor',
    waivable: true,
    title: 'A volume lives on the disk of a node',
    text: ({ node, address, volume, claim, pods, path, bytes, reclaimPolicy, kept }) => ({
      summary: `${claim === null ? `the volume ${volume}` : `the data of ${claim}`} (${size(bytes)}) ${kept ? 'stays' : 'is only'} on ${node}`,
      diagnosis: `${path === null ? '' : `It is at ${path}. `}${kept ? 'The plan keeps this directory; it is compared before k3s may start. Without that, after' : 'After'} a wipe ${pods.length === 0 ? 'the next pod' : many(pods)} would start here with an empty directory and become Ready: the volume is bound to this node by name, and no Kubernetes check looks inside.${reclaimPolicy === 'Delete' ? ' Its reclaim policy is Delete: deleting the claim deletes the data.' : ''}`,
      remediations: kept
        ? []
        : [
            hint(
              'move with a method that keeps /var/lib/rancher, or copy the data off the node while its pods are stopped',
            ),
            ...(path === null
              ? []
              : [
                  command(
                    `(umask 077; ${onNode(address, `sudo tar -C ${word(parent(path))} -czf - ${word(base(path))}`)} > ${word(`${volume}.tar.gz`)})`,
                  ),
                ]),
            ...(reclaimPolicy === 'Delete'
              ? [
                  command(
                    `kubectl patch persistentvolume ${word(volume)} -p '{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}'`,
                  ),
                ]
              : []),
          ],
    }),
  }),
  'PRE-ORPHAN-VOLUME': rule<OnNode & { path: string; bytes: number | null }>({
    severity: 'low',
    title: 'A volume directory belongs to no PersistentVolume',
    text: ({ node, address, path, bytes }) => ({
      summary: `${path} on ${node} (${size(bytes)}) belongs to no PersistentVolume`,
      diagnosis: 'Left behind by a deleted claim, or the only copy of something. No pod would miss it.',
      remediations: [
        hint('look at it before the move'),
        command(onNode(address, `sudo ls -lA ${word(path)}`)),
      ],
    }),
  }),
  'PRE-PDB-STRUCTURAL': rule<Budget>({
    severity: 'inhibitor',
    waivable: true,
    title: 'A disruption budget never lets a pod go',
    text: (budget) => ({
      summary: `the budget ${budget.namespace}/${budget.budget} never lets ${many(budget.pods)} leave ${budget.node}`,
      diagnosis:
        'As it is written it allows no disruption even when everything is healthy: a drain would be refused until its timeout. Waiting does not help.',
      remediations: [
        hint('run one replica more, or relax the budget for the time of the move'),
        command(saveBudget(budget)),
        command(allowOne(budget)),
      ],
    }),
  }),
  'PRE-PDB-NEVER-REFILLS': rule<
    Budget & {
      /** Disruptions it allows now, and pods of the node that use one each. */
      allowed: number
      leaving: number
      notRefilled: readonly { readonly pod: string; readonly why: string }[]
    }
  >({
    severity: 'inhibitor',
    waivable: true,
    title: 'A disruption budget runs dry during the drain',
    text: (budget) => ({
      summary: `the budget ${budget.namespace}/${budget.budget} lets ${budget.allowed} of the ${budget.leaving} pods ${many(budget.pods)} leave ${budget.node}, then perhaps never another: ${budget.notRefilled.length} of them ${budget.notRefilled.length === 1 ? 'is' : 'are'} not replaced elsewhere`,
      diagnosis: `An eviction uses the budget up until another pod takes the place, and none does for ${someReasons(budget.notRefilled)} while this node is away.`,
      remediations: [
        hint(
          'run more replicas on other nodes or make room there, so that the budget allows more than these pods use up, or relax it for the time of the move',
        ),
        command(
          `kubectl -n ${word(budget.namespace)} get pods -o wide ${budget.notRefilled.map(({ pod }) => word(pod)).join(' ')}`,
        ),
        command(saveBudget(budget)),
        command(allowOne(budget)),
      ],
    }),
  }),
  'PRE-PDB-TWICE': rule<Budget & { budgets: readonly string[] }>({
    severity: 'inhibitor',
    title: 'Two disruption budgets guard one pod',
    text: (budget) => ({
      summary: `${many(budget.pods)} on ${budget.node} ${budget.pods.length === 1 ? 'is' : 'are'} guarded by more than one budget: ${budget.budgets.join(', ')}`,
      diagnosis: 'The API server answers every eviction of such a pod with an error (500), for ever.',
      remediations: [
        hint('keep one of them'),
        command(saveBudget(budget)),
        command(`kubectl -n ${word(budget.namespace)} delete poddisruptionbudget ${word(budget.budget)}`),
      ],
    }),
  }),
  'PRE-PDB-TEMPORARY': rule<Budget>({
    severity: 'high',
    title: 'A disruption budget has nothing to give now',
    text: (budget) => ({
      summary: `the budget ${budget.namespace}/${budget.budget} lets no pod leave ${budget.node} now: ${many(budget.pods)} must wait`,
      diagnosis: 'Some of its pods are not healthy. When they are, the drain can go on.',
      remediations: [
        command(`kubectl -n ${word(budget.namespace)} describe poddisruptionbudget ${word(budget.budget)}`),
      ],
    }),
  }),
  'PRE-UPGRADE-PLAN': rule<{
    namespace: string
    plan: string
    image: string | null
    ofK3os: boolean
    nodes: readonly string[]
    /** `kubectl label` arguments after which it matches no more; null when the selector leaves none. */
    labelChange: string | null
  }>({
    severity: 'inhibitor',
    waivable: true,
    title: 'An upgrade Plan selects nodes that are about to move',
    text: ({ namespace, plan, image, ofK3os, nodes, labelChange }) => ({
      summary: `the upgrade Plan ${namespace}/${plan}${image === null ? '' : ` (${image})`} selects ${many(nodes)}`,
      diagnosis: ofK3os
        ? "A moved node keeps its Node object and its labels. k3OS's own upgrader would drain it by force and run a privileged job that writes /k3os/system on a system that is no longer k3OS, then reboots it."
        : 'The system-upgrade-controller may drain or reboot these nodes in the middle of a move.',
      remediations: [
        hint(
          labelChange === null
            ? 'keep a copy, then remove the Plan'
            : 'take the nodes out of it, or keep a copy and remove the Plan',
        ),
        ...(labelChange === null
          ? []
          : [command(`kubectl label node ${nodes.map(word).join(' ')} ${labelChange}`)]),
        command(
          `kubectl -n ${word(namespace)} get plans.upgrade.cattle.io ${word(plan)} -o yaml > ${word(`${plan}-plan.yaml`)}`,
        ),
        command(`kubectl -n ${word(namespace)} delete plans.upgrade.cattle.io ${word(plan)}`),
      ],
    }),
  }),
}

const fileName = (path: string): string => path.replace(/^\/+|\/+$/g, '').replaceAll('/', '-')
const base = (path: string): string => path.replace(/\/+$/, '').split('/').at(-1) ?? ''
const parent = (path: string): string => path.replace(/\/+$/, '').replace(/\/[^/]*$/, '') || '/'
