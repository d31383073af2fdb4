import { isDeepStrictEqual } from 'node:util'
import type { KubectlFlags } from '../../../src/migrate/drain-kubectl-pods.ts'
import type { ScriptedPod } from '../stub-pods.ts'
import {
  type DrainCase,
  type Expected,
  expectation,
  forbidden,
  type Variation,
  variation,
} from './drain-case.ts'

/** Which pods are moved, left and refused. */

type Switches = Pick<KubectlFlags, 'force' | 'ignoreDaemonSets' | 'deleteEmptyDir'>

const switches: readonly Switches[] = [0, 1, 2, 3, 4, 5, 6, 7].map((bits) => ({
  force: (bits & 1) !== 0,
  ignoreDaemonSets: (bits & 2) !== 0,
  deleteEmptyDir: (bits & 4) !== 0,
}))

function said({ force, ignoreDaemonSets, deleteEmptyDir }: Switches): string {
  const flags = [force && 'force', ignoreDaemonSets && 'ignore', deleteEmptyDir && 'empty-dir'].filter(
    Boolean,
  )
  return flags.length === 0 ? 'no flag' : flags.join(' ')
}

/**
 * `wait`: only our own drain waits for a pod without asking it to go; `stuck`: it waits in vain; `unasked`: it stops
 * because a question is not answered.
 */
type Fate =
  | 'evict'
  | 'keep'
  | 'warned keep'
  | 'warned evict'
  | 'wait'
  | 'stuck'
  | 'unasked'
  | { readonly refused: string }

interface Row {
  readonly row: string
  readonly pod: ScriptedPod
  readonly fate: (flags: Switches) => Fate
  readonly older?: { readonly because: string; readonly fate: (flags: Switches) => Fate }
  readonly strict?: { readonly because: string; readonly fate: Fate }
}

const emptyDir = { emptyDir: {} }

/** The rows of kubectl's filters, each as a pod. */
const rows: readonly Row[] = [
  {
    row: 'ending for longer than one cares to wait',
    pod: { name: 'long', endingForSeconds: 600, endsAfterMs: Infinity },
    fate: () => 'keep',
    strict: { because: 'a pod that does not end is named, never skipped', fate: 'stuck' },
  },
  {
    row: 'ending',
    pod: { name: 'ends', endingForSeconds: 2 },
    fate: () => 'evict',
    strict: { because: 'evicting a pod that is ending changes nothing; it is waited for', fate: 'wait' },
  },
  {
    row: 'finished, of a DaemonSet',
    pod: { name: 'done-daemon', owner: 'DaemonSet', phase: 'Succeeded' },
    fate: () => 'evict',
  },
  {
    row: 'of a DaemonSet',
    pod: { name: 'daemon', owner: 'DaemonSet' },
    fate: ({ ignoreDaemonSets }) => (ignoreDaemonSets ? 'warned keep' : { refused: 'daemonset' }),
    strict: { because: 'pods of DaemonSets stay without being asked', fate: 'warned keep' },
  },
  {
    row: 'of a DaemonSet that is missing',
    pod: { name: 'orphan', owner: 'apps/v1 DaemonSet gone' },
    fate: ({ force }) => (force ? 'evict' : { refused: 'daemonset-missing' }),
  },
  {
    row: 'of a DaemonSet of another API group',
    pod: { name: 'fleet', owner: 'apps.example.org/v1 DaemonSet fleet' },
    fate: () => 'evict',
    older: {
      because: 'up to 1.33 it was looked up in the group apps',
      fate: ({ force }) => (force ? 'evict' : { refused: 'daemonset-missing' }),
    },
  },
  { row: 'mirror', pod: { name: 'mirror', owner: 'v1 Node', mirror: true }, fate: () => 'keep' },
  {
    row: 'finished, with an emptyDir',
    pod: { name: 'done-empty', volumes: [emptyDir], phase: 'Failed' },
    fate: () => 'evict',
  },
  {
    row: 'with an emptyDir',
    pod: { name: 'empty', volumes: [emptyDir] },
    fate: ({ deleteEmptyDir }) => (deleteEmptyDir ? 'evict' : { refused: 'empty-dir' }),
  },
  {
    row: 'with volumes of the host and of a claim',
    pod: {
      name: 'volumes',
      volumes: [{ hostPath: { path: '/data' } }, { persistentVolumeClaim: { claimName: 'data' } }],
    },
    fate: () => 'evict',
  },
  {
    row: 'finished, without a controller',
    pod: { name: 'done-bare', owner: '', phase: 'Succeeded' },
    fate: () => 'evict',
  },
  {
    row: 'without a controller',
    pod: { name: 'bare', owner: '' },
    fate: ({ force }) => (force ? 'warned evict' : { refused: 'unmanaged' }),
  },
  {
    row: 'of a controller that is missing',
    pod: { name: 'lost', owner: 'example.org/v1 Gone' },
    fate: () => 'evict',
  },
]

const unknownRow: Row = {
  row: 'of a DaemonSet that cannot be looked up',
  pod: { name: 'unknown', owner: 'apps/v1 DaemonSet unseen' },
  fate: () => ({ refused: 'daemonset-unknown' }),
  strict: {
    because: 'a question that is not answered stops everything, with the missing right',
    fate: 'unasked',
  },
}

function resultOfFates(fates: readonly (readonly [string, Fate])[]): Expected {
  const named = (...wanted: readonly Fate[]) =>
    fates.filter(([, fate]) => wanted.includes(fate)).map(([name]) => name)
  const everyone = fates.map(([name]) => name)
  if (named('unasked').length > 0) return { kept: everyone, errors: ['list'] }
  const errors = fates.flatMap(([name, fate]) =>
    typeof fate === 'string' ? [] : [`${fate.refused} ${name}`],
  )
  if (errors.length > 0) return { kept: everyone, errors }
  const evicted = named('evict', 'warned evict')
  return {
    gone: [...evicted, ...named('wait')],
    kept: named('keep', 'warned keep', 'stuck'),
    errors: named('stuck').map((name) => `timeout ${name}`),
    changes: ['cordon n1', ...evicted.map((name) => `evict shop/${name}`)],
    warnings: [
      ...named('warned keep').map((name) => `daemonset ${name}`),
      ...named('warned evict').map((name) => `unmanaged ${name}`),
    ],
  }
}

function filtered(name: string, chosen: readonly Row[], flags: Switches): Variation {
  const usual = resultOfFates(chosen.map(({ pod, fate }) => [pod.name, fate(flags)]))
  /** undefined where the other fates come to the same. */
  function difference(fates: readonly Fate[], notes: readonly ({ readonly because: string } | undefined)[]) {
    const instead = expectation(
      resultOfFates(chosen.map(({ pod }, index) => [pod.name, fates[index] ?? 'keep'])),
    )
    if (isDeepStrictEqual(instead, expectation(usual))) return undefined
    return { because: [...new Set(notes.flatMap((note) => note?.because ?? []))].join('; '), instead }
  }
  const older = difference(
    chosen.map((row) => (row.older?.fate ?? row.fate)(flags)),
    chosen.map((row) => row.older),
  )
  return variation(
    `${name}; ${said(flags)}`,
    {
      pods: chosen.map(({ pod }) => pod),
      daemonSets: ['shop/daemonset'],
      refusals: { 'daemonset shop/unseen': [forbidden('daemonsets.apps "unseen" is forbidden: no right')] },
    },
    { ...flags, skipEndingForSeconds: 60, timeoutMs: 20_000 },
    usual,
    {
      older: older === undefined ? [] : [{ ages: ['1.20', '1.23', '1.28'], ...older }],
      strict: difference(
        chosen.map((row) => row.strict?.fate ?? row.fate(flags)),
        chosen.map((row) => row.strict),
      ),
    },
  )
}

const allPhases = ['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown']
const owners = ['ReplicaSet', 'v1 ReplicationController', 'StatefulSet', 'batch/v1 Job', 'DaemonSet', '']
const everyPhase = owners.flatMap((owner, index) =>
  allPhases.map((phase) => ({ name: `o${index}-${phase.toLowerCase()}`, owner, phase })),
)
const names = (pods: readonly ScriptedPod[]) => pods.map(({ name }) => name)
const finished = ({ phase }: ScriptedPod) => phase === 'Succeeded' || phase === 'Failed'
const daemons = everyPhase.filter((pod) => pod.owner === 'DaemonSet' && !finished(pod))
const bare = everyPhase.filter((pod) => pod.owner === '' && !finished(pod))

const noController: readonly (readonly [string, string])[] = [
  ['controller is not set', '?ReplicaSet'],
  ['controller is false', '!ReplicaSet'],
  ['two owners, neither is the controller', '?ReplicaSet,!batch/v1 Job'],
]

const volumes: readonly (readonly [string, readonly object[], boolean])[] = [
  ['hostPath', [{ hostPath: { path: '/data' } }], false],
  ['claim', [{ persistentVolumeClaim: { claimName: 'data' } }], false],
  ['projected', [{ projected: { sources: [] } }], false],
  ['ephemeral', [{ ephemeral: { volumeClaimTemplate: { spec: {} } } }], false],
  ['inline CSI', [{ csi: { driver: 'csi.example.org' } }], false],
  ['emptyDir in memory', [{ emptyDir: { medium: 'Memory' } }], true],
]

export const filterCases: readonly DrainCase[] = [
  {
    number: 1,
    title: 'which pods go, by every combination of flags',
    variations: switches.flatMap((flags) => [
      ...[...rows, unknownRow].map((row) => filtered(row.row, [row], flags)),
      filtered('all that can be looked up', rows, flags),
      filtered('all', [...rows, unknownRow], flags),
    ]),
  },
  {
    number: 2,
    title: 'owners that are not controllers',
    variations: [
      ...noController.flatMap(([what, owner]) => [
        variation(what, [{ name: 'a', owner }], {}, { kept: ['a'], errors: ['unmanaged a'] }),
        variation(
          `${what}; force`,
          [{ name: 'a', owner }],
          { force: true },
          { gone: ['a'], warnings: ['unmanaged a'] },
        ),
      ]),
      variation(
        'two owners, one is the controller',
        [{ name: 'a', owner: '?batch/v1 Job,ReplicaSet' }],
        {},
        { gone: ['a'] },
      ),
    ],
  },
  {
    number: 3,
    title: 'every phase of every owner',
    variations: [
      variation(
        'all flags',
        { pods: everyPhase, daemonSets: ['shop/daemonset'] },
        { force: true, ignoreDaemonSets: true },
        {
          gone: names(everyPhase.filter((pod) => !daemons.includes(pod))),
          kept: names(daemons),
          warnings: [
            ...names(daemons).map((name) => `daemonset ${name}`),
            ...names(bare).map((name) => `unmanaged ${name}`),
          ],
        },
      ),
      variation(
        'no flag',
        { pods: everyPhase, daemonSets: ['shop/daemonset'] },
        {},
        {
          kept: names(everyPhase),
          errors: [
            ...names(daemons).map((name) => `daemonset ${name}`),
            ...names(bare).map((name) => `unmanaged ${name}`),
          ],
        },
        {
          strict: {
            because: 'pods of DaemonSets stay without being asked',
            instead: {
              errors: names(bare)
                .map((name) => `unmanaged shop/${name}`)
                .toSorted(),
            },
          },
        },
      ),
    ],
  },
  {
    number: 18,
    title: 'nothing to move',
    variations: [
      variation('an empty node', [], {}, {}),
      variation(
        'only pods of DaemonSets and mirror pods',
        {
          pods: [
            { name: 'd', owner: 'DaemonSet' },
            { name: 'm', owner: 'v1 Node', mirror: true },
          ],
          daemonSets: ['shop/daemonset'],
        },
        { ignoreDaemonSets: true },
        { kept: ['d', 'm'], warnings: ['daemonset d'] },
      ),
    ],
  },
  {
    number: 21,
    title: 'kinds of volumes',
    variations: volumes.flatMap(([what, list, isEmptyDir]) => [
      variation(
        what,
        [{ name: 'a', volumes: list }],
        {},
        isEmptyDir ? { kept: ['a'], errors: ['empty-dir a'] } : { gone: ['a'] },
      ),
      variation(
        `${what}; empty-dir`,
        [{ name: 'a', volumes: list }],
        { deleteEmptyDir: true },
        { gone: ['a'] },
      ),
    ]),
  },
]
