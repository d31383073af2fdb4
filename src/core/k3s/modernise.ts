import type { K3sFlag, K3sRole } from './flags.ts'
import { breaksOfArgument, minorOf, type Break } from './ladder.ts'
import { versionAtLeast } from './version.ts'

/** What has to become of one flag before a certain k3s starts with it. */
export interface Modernised {
  /** What k3s no longer takes, without its value: `--no-deploy`, `kubelet-arg network-plugin`. Never a secret. */
  readonly gone: readonly string[]
  /** Flags in its place, with the values they had; none when nothing does. */
  readonly becomes: readonly { readonly name: string; readonly value: string | boolean }[]
  /** What somebody may do instead, where that takes a decision. */
  readonly instead: string | null
}

interface Renamed {
  /** From here on k3s stops at it; it knew the new form long before. */
  readonly from: string
  readonly becomes: (value: string | boolean, role: K3sRole) => Modernised['becomes']
  readonly instead?: string
}

const renamedTo = (name: string) => (value: string | boolean) => [{ name, value }]

/** k3s-io/k3s commits 0374c4f63d, cd49101fc8 (fatal in v1.25) and d723775792 (gone in v1.26), f76d6208e4. */
const renamed: Readonly<Record<string, Renamed>> = {
  'no-deploy': {
    from: '1.25.0',
    becomes: renamedTo('disable'),
    instead: '--disable also deletes what k3s deployed: look whether it is still used',
  },
  'cluster-secret': { from: '1.25.0', becomes: renamedTo('token') },
  'no-flannel': {
    from: '1.25.0',
    becomes: (value, role) =>
      value === true && role === 'server' ? [{ name: 'flannel-backend', value: 'none' }] : [],
  },
  'disable-selinux': {
    from: '1.26.0',
    becomes: (value) => [{ name: 'selinux', value: value !== true }],
  },
  'disable-api-server': { from: '1.21.1', becomes: renamedTo('disable-apiserver') },
  'storage-endpoint': { from: '1.0.0', becomes: renamedTo('datastore-endpoint') },
  'storage-cafile': { from: '1.0.0', becomes: renamedTo('datastore-cafile') },
  'storage-certfile': { from: '1.0.0', becomes: renamedTo('datastore-certfile') },
  'storage-keyfile': { from: '1.0.0', becomes: renamedTo('datastore-keyfile') },
}

/** Flags of components whose value goes to another flag unchanged: siderolabs/go-kubernetes kubernetes/upgrade/checks.go. */
const successors: Readonly<Record<string, (value: string) => Modernised['becomes'][number]>> = {
  'kubelet-arg pod-infra-container-image': (value) => ({ name: 'pause-image', value }),
  'kube-apiserver-arg service-account-api-audiences': (value) => ({
    name: 'kube-apiserver-arg',
    value: `api-audiences=${value}`,
  }),
  'kube-apiserver-arg experimental-encryption-provider-config': (value) => ({
    name: 'kube-apiserver-arg',
    value: `encryption-provider-config=${value}`,
  }),
  'kube-controller-manager-arg experimental-cluster-signing-duration': (value) => ({
    name: 'kube-controller-manager-arg',
    value: `cluster-signing-duration=${value}`,
  }),
  'kube-controller-manager-arg horizontal-pod-autoscaler-downscale-delay': (value) => ({
    name: 'kube-controller-manager-arg',
    value: `horizontal-pod-autoscaler-downscale-stabilization=${value}`,
  }),
}

/**
 * The flag in the words of a k3s of this version and role; null when it takes it as it is. What only may be gone (the
 * minor is not known exactly) is left alone: `doubtfulParts` names it.
 */
export function modernise(
  flag: K3sFlag,
  value: string | boolean,
  k3s: { readonly version: string; readonly role: K3sRole },
): Modernised | null {
  const since = (from: string): boolean => versionAtLeast(k3s.version, from) === true
  const known = renamed[flag.name]
  if (known !== undefined)
    return since(known.from)
      ? {
          gone: [`--${flag.name}`],
          becomes: known.becomes(value, k3s.role),
          instead: known.instead ?? null,
        }
      : null
  if (flag.name === 'flannel-backend' && value === 'wireguard' && since('1.26.0'))
    return {
      gone: ['--flannel-backend=wireguard'],
      becomes: [{ name: flag.name, value: 'wireguard-native' }],
      instead: 'change all nodes at once: the two do not talk to each other',
    }
  if (flag.removed !== null && since(flag.removed))
    return { gone: [`--${flag.name}`], becomes: [], instead: null }
  return moderniseArgument(flag.name, String(value), minorOf(k3s.version) ?? 0)
}

function moderniseArgument(k3sFlag: string, text: string, minor: number): Modernised | null {
  const broken = (part: string): Break[] => breaksOfArgument(k3sFlag, part).filter(({ to }) => to <= minor)
  const breaks = broken(text)
  if (breaks.length === 0) return null
  const gone = breaks.map(({ what }) => what)
  const instead = breaks.find((one) => one.instead !== null)?.instead ?? null
  const equals = text.indexOf('=')
  const [name, value] = equals === -1 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)]
  const successor = successors[`${k3sFlag} ${name.replace(/^-+/, '')}`]
  if (successor !== undefined) return { gone, becomes: [successor(value)], instead: null }
  // Of a list only what is gone goes: gates, admission plugins.
  const kept = value.split(',').filter((part) => broken(`${name}=${part}`).length === 0)
  return {
    gone,
    becomes: kept.length === 0 ? [] : [{ name: k3sFlag, value: `${name}=${kept.join(',')}` }],
    instead,
  }
}

/** Parts of a flag that this k3s may or may not still take. */
export function doubtfulParts(flag: K3sFlag, value: string | boolean, version: string): string[] {
  const minor = minorOf(version) ?? 0
  return breaksOfArgument(flag.name, String(value))
    .filter(({ from, to }) => from <= minor && minor < to)
    .map(({ what }) => what)
}

/** Why k3s of this version stops at a value that nothing takes the place of by itself; null when it does not. */
export function refusedValue(flag: K3sFlag, value: string | boolean, version: string): string | null {
  if (flag.name !== 'flannel-backend') return null
  const text = String(value)
  const isGone = text === 'ipsec' || text.startsWith('vxlan=')
  if (!isGone || versionAtLeast(version, '1.27.0') !== true) return null
  return text === 'ipsec'
    ? 'the backend ipsec is gone in k3s v1.27; wireguard-native takes its place, on all nodes at once'
    : 'options of a backend stand in the file that --flannel-conf names, from k3s v1.27 on'
}
