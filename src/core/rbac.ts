import { appliedKinds } from './applied-kinds.ts'
import { controllerResources, type Pause } from './competing.ts'

/** What each command asks the API server for, in the words of RBAC. Nothing here is unused: a test counts the requests. */
export interface RbacRule {
  /** `''` for the core group. */
  readonly apiGroup: string
  /** `nodes`, `pods/eviction`. */
  readonly resources: readonly string[]
  readonly verbs: readonly ('get' | 'list' | 'create' | 'update' | 'patch' | 'delete')[]
  /** null: the whole cluster, or what lies in no namespace. */
  readonly namespace: string | null
  /** Only objects of these names. */
  readonly names?: readonly string[]
  readonly why: string
  /** Refused, it leaves a note behind and nothing undone. */
  readonly optional?: true
}

const core = ''

/** Everything that an inventory keeps of a cluster; `apply` looks at all of it again before each node. */
const readCluster: readonly RbacRule[] = [
  {
    apiGroup: core,
    resources: ['namespaces'],
    verbs: ['get'],
    namespace: null,
    names: ['kube-system'],
    why: 'its UID tells one cluster from another',
  },
  {
    apiGroup: core,
    resources: ['nodes', 'pods'],
    verbs: ['list'],
    namespace: null,
    why: 'what runs where',
  },
  {
    apiGroup: core,
    resources: ['endpoints', 'namespaces', 'services'],
    verbs: ['list'],
    namespace: null,
    why: 'who answers for webhooks, and which namespaces selectors mean',
  },
  {
    apiGroup: core,
    resources: ['persistentvolumes', 'persistentvolumeclaims'],
    verbs: ['list'],
    namespace: null,
    why: 'whose data is on which disk',
  },
  {
    apiGroup: 'storage.k8s.io',
    resources: ['storageclasses'],
    verbs: ['list'],
    namespace: null,
    why: 'what becomes of a volume when its claim goes',
  },
  {
    apiGroup: 'policy',
    resources: ['poddisruptionbudgets'],
    verbs: ['list'],
    namespace: null,
    why: 'which pods may leave a node at a time',
  },
  {
    apiGroup: 'apps',
    resources: ['daemonsets', 'deployments', 'replicasets', 'statefulsets'],
    verbs: ['list'],
    namespace: null,
    why: 'what brings a pod back, and the state to compare with afterwards',
  },
  {
    apiGroup: 'batch',
    resources: ['cronjobs', 'jobs'],
    verbs: ['list'],
    namespace: null,
    why: 'what brings a pod back, and the state to compare with afterwards',
  },
  {
    apiGroup: 'networking.k8s.io',
    resources: ['ingresses'],
    verbs: ['list'],
    namespace: null,
    why: 'whether they were applied in API versions that end',
  },
  {
    apiGroup: 'autoscaling',
    resources: ['horizontalpodautoscalers'],
    verbs: ['list'],
    namespace: null,
    why: 'whether they were applied in API versions that end',
  },
  {
    apiGroup: 'coordination.k8s.io',
    resources: ['leases'],
    verbs: ['list'],
    namespace: null,
    why: 'when a kubelet was last heard of',
  },
  {
    apiGroup: 'admissionregistration.k8s.io',
    resources: ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'],
    verbs: ['list'],
    namespace: null,
    why: 'webhooks that stop the cluster when their pods leave',
  },
  {
    apiGroup: 'apiextensions.k8s.io',
    resources: ['customresourcedefinitions'],
    verbs: ['list'],
    namespace: null,
    why: 'API versions that a later Kubernetes does not serve',
  },
  {
    apiGroup: 'upgrade.cattle.io',
    resources: ['plans'],
    verbs: ['list'],
    namespace: null,
    why: 'upgrade Plans that would attack a node',
  },
  {
    apiGroup: 'k3s.cattle.io',
    resources: ['addons'],
    verbs: ['list'],
    namespace: null,
    why: 'manifests that k3s keeps applying',
  },
  {
    apiGroup: 'helm.cattle.io',
    resources: ['helmchartconfigs', 'helmcharts'],
    verbs: ['list'],
    namespace: null,
    why: 'charts that k3s keeps applying',
  },
]

/** Kinds that an API server of another age does not have are not asked for. */
const readApplied: readonly RbacRule[] = [...Map.groupBy(appliedKinds, ({ group }) => group)].map(
  ([apiGroup, kinds]) => ({
    apiGroup,
    resources: kinds.map(({ plural }) => plural),
    verbs: ['list'],
    namespace: null,
    why: 'whether they were applied in API versions that end; the inventory does without',
    optional: true,
  }),
)

const readInventory = [...readCluster, ...readApplied]

const collectorPods: readonly RbacRule[] = [
  {
    apiGroup: core,
    resources: ['pods'],
    verbs: ['create', 'get', 'delete'],
    namespace: 'kube-system',
    why: 'a privileged pod on each node, for a moment',
  },
  {
    apiGroup: core,
    resources: ['pods/exec'],
    // Over a WebSocket it is a `get`; from Kubernetes 1.35 on `create` is asked for as well.
    verbs: ['get', 'create'],
    namespace: 'kube-system',
    why: 'the collector runs in it',
  },
]

const moveNodes: readonly RbacRule[] = [
  {
    apiGroup: core,
    resources: ['nodes'],
    verbs: ['get', 'patch'],
    namespace: null,
    why: 'cordon and uncordon; marks, labels and taints of the move',
  },
  {
    apiGroup: core,
    resources: ['pods/eviction'],
    verbs: ['create'],
    namespace: null,
    why: 'drain; nothing is ever deleted past a disruption budget',
  },
  {
    apiGroup: 'apps',
    resources: ['daemonsets'],
    verbs: ['get'],
    namespace: null,
    why: 'whose pods stay on a node that is drained',
  },
  {
    apiGroup: 'storage.k8s.io',
    resources: ['volumeattachments'],
    verbs: ['list'],
    namespace: null,
    why: 'a node is drained when its volumes are detached',
  },
  {
    apiGroup: 'coordination.k8s.io',
    resources: ['leases'],
    verbs: ['get'],
    namespace: 'kube-node-lease',
    why: 'the heartbeat of a node that came back',
  },
]

/** One object, by its name; that it may be made cannot be limited to a name. */
const lockCluster: readonly RbacRule[] = [
  {
    apiGroup: 'coordination.k8s.io',
    resources: ['leases'],
    verbs: ['get', 'patch'],
    namespace: 'kube-system',
    names: ['k3os-migrate'],
    why: 'the lock of runs, with the state of the run that has it',
  },
]

const seeLock: readonly RbacRule[] = lockCluster.map((rule) => ({ ...rule, verbs: ['get'] }))

/** What the undo of steps before the point of no return asks for. */
const undoMoves: readonly RbacRule[] = [
  {
    apiGroup: core,
    resources: ['nodes'],
    verbs: ['get', 'list', 'patch'],
    namespace: null,
    why: 'uncordon; marks and taints of the run',
  },
]

const makeLock: readonly RbacRule[] = [
  {
    apiGroup: 'coordination.k8s.io',
    resources: ['leases'],
    verbs: ['create'],
    namespace: 'kube-system',
    why: 'the lock of runs, the first time',
  },
]

const findLeftovers: readonly RbacRule[] = [
  {
    apiGroup: core,
    resources: ['namespaces'],
    verbs: ['get'],
    namespace: null,
    names: ['kube-system'],
    why: 'its UID tells one cluster from another',
  },
  {
    apiGroup: core,
    resources: ['nodes'],
    verbs: ['list'],
    namespace: null,
    why: 'labels, annotations and taints of nodes that moved',
  },
  {
    apiGroup: 'upgrade.cattle.io',
    resources: ['plans'],
    verbs: ['list'],
    namespace: null,
    why: "k3OS's own upgrade Plans",
  },
  {
    apiGroup: core,
    resources: ['secrets'],
    verbs: ['get'],
    namespace: 'kube-system',
    why: 'NODE.node-password.k3s of nodes that are gone; only metadata is asked for',
  },
  {
    apiGroup: 'coordination.k8s.io',
    resources: ['leases'],
    verbs: ['get'],
    namespace: 'kube-system',
    names: ['k3os-migrate'],
    why: 'lock and record of runs',
  },
]

const removeLeftovers: readonly RbacRule[] = [
  {
    apiGroup: core,
    resources: ['nodes'],
    verbs: ['get', 'patch'],
    namespace: null,
    why: 'takes them off',
  },
  {
    apiGroup: 'upgrade.cattle.io',
    resources: ['plans'],
    verbs: ['get', 'delete'],
    namespace: null,
    why: 'deletes them',
  },
  {
    apiGroup: core,
    resources: ['secrets'],
    verbs: ['delete'],
    namespace: 'kube-system',
    why: 'deletes them',
  },
  {
    apiGroup: 'coordination.k8s.io',
    resources: ['leases'],
    verbs: ['patch', 'delete'],
    namespace: 'kube-system',
    names: ['k3os-migrate'],
    why: 'takes the lock of runs first, and deletes it last',
  },
]

/** By command as it is typed. What is not here does not talk to the cluster. */
export const commandRules = {
  inventory: readInventory,
  'inventory --via-pod': [...readInventory, ...collectorPods],
  'inventory --clean-up': [
    {
      apiGroup: core,
      resources: ['pods'],
      verbs: ['list', 'delete'],
      namespace: 'kube-system',
      why: 'pods that a killed --via-pod left behind',
    },
  ],
  apply: [...readCluster, ...moveNodes, ...lockCluster, ...makeLock],
  resume: [...readCluster, ...moveNodes, ...lockCluster],
  revert: [...readCluster, ...moveNodes, ...lockCluster],
  abandon: [...undoMoves, ...lockCluster],
  status: seeLock,
  finalize: findLeftovers,
  'finalize apply': [...findLeftovers, ...removeLeftovers, ...makeLock],
} as const satisfies Readonly<Record<string, readonly RbacRule[]>>

export type RbacCommand = keyof typeof commandRules

/** What these ask for besides, for the controllers that a plan pauses: these very objects, and no other. */
const commandsThatPause: ReadonlySet<RbacCommand> = new Set(['apply', 'resume', 'revert', 'abandon'])

/** All that a command asks for; with a plan, also what this very plan needs. */
export function rulesFor(command: RbacCommand, pauses: readonly Pause[] = []): readonly RbacRule[] {
  if (!commandsThatPause.has(command)) return commandRules[command]
  const groups = Map.groupBy(pauses, ({ kind, namespace }) => `${kind} ${namespace}`)
  const more = [...groups.values()].flatMap((own): RbacRule[] => {
    const [first] = own
    if (first === undefined) return []
    const { apiGroup, resource } = controllerResources[first.kind]
    return [
      {
        apiGroup,
        resources: [resource],
        verbs: ['get', 'patch'],
        namespace: first.namespace,
        names: own.map(({ name }) => name),
        why: 'stands still until the last node is done: the plan says so',
      },
    ]
  })
  return [...commandRules[command], ...more]
}

export function isRbacCommand(command: string): command is RbacCommand {
  return Object.hasOwn(commandRules, command)
}

/** One thing that may or may not be allowed. */
export interface Permission {
  readonly verb: RbacRule['verbs'][number]
  readonly apiGroup: string
  readonly resource: string
  readonly namespace: string | null
  /** null: whatever its name. */
  readonly name: string | null
}

export function permissionsOf(rules: readonly RbacRule[]): Permission[] {
  return rules.flatMap(({ apiGroup, resources, verbs, namespace, names }) =>
    resources.flatMap((resource) =>
      verbs.flatMap((verb) =>
        (names ?? [null]).map((name) => ({ verb, apiGroup, resource, namespace, name })),
      ),
    ),
  )
}

/** `list pods`, `get leases.coordination.k8s.io in namespace kube-node-lease`. */
export function permissionText({ verb, apiGroup, resource, namespace, name }: Permission): string {
  const [main = resource, subresource] = resource.split('/')
  const full = `${main}${apiGroup === core ? '' : `.${apiGroup}`}${subresource === undefined ? '' : `/${subresource}`}`
  return `${verb} ${full}${name === null ? '' : ` ${name}`}${namespace === null ? '' : ` in namespace ${namespace}`}`
}

export interface RbacNames {
  /** Of every object. */
  readonly name: string
  /** Of the ServiceAccount. */
  readonly namespace: string
}

/** A Kubernetes object, and for each of its rules the reason. */
export interface RbacObject {
  readonly object: Readonly<Record<string, unknown>>
  readonly reasons: readonly string[]
}

/** A ServiceAccount that may do this and nothing else: roles for the cluster and for each namespace, and their bindings. */
export function rbacObjects(rules: readonly RbacRule[], { name, namespace }: RbacNames): RbacObject[] {
  const account = { kind: 'ServiceAccount', name, namespace }
  const objects: RbacObject[] = [
    { object: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } }, reasons: [] },
  ]
  for (const place of [...new Set(rules.map((rule) => rule.namespace))].toSorted(nullFirst)) {
    const own = rules.filter((rule) => rule.namespace === place)
    const kind = place === null ? 'ClusterRole' : 'Role'
    const metadata = place === null ? { name } : { name, namespace: place }
    objects.push({
      object: {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind,
        metadata,
        rules: own.map(({ apiGroup, resources, verbs, names }) => ({
          apiGroups: [apiGroup],
          resources: [...resources],
          ...(names === undefined ? {} : { resourceNames: [...names] }),
          verbs: [...verbs],
        })),
      },
      reasons: own.map(({ why }) => why),
    })
    objects.push({
      object: {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: `${kind}Binding`,
        metadata,
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name },
        subjects: [account],
      },
      reasons: [],
    })
  }
  return objects
}

function nullFirst(a: string | null, b: string | null): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1
  return a < b ? -1 : 1
}
