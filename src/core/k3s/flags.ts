import { flagTable } from './flag-table.ts'
import { versionAtLeast } from './version.ts'

export type K3sRole = 'server' | 'agent'

export interface K3sFlag {
  readonly name: string
  readonly alias: string | null
  /** `slice` may be given more than once; numbers and durations are texts here. */
  readonly type: 'string' | 'bool' | 'slice'
  /** Variable that is read when the flag is not given. */
  readonly variable: string | null
  readonly roles: readonly K3sRole[]
  readonly since: string | null
  readonly sinceOnAgent: string | null
  readonly removed: string | null
}

const flags: readonly K3sFlag[] = flagTable
  .trim()
  .split('\n')
  .map((line) => {
    const [name = '', alias, type, variable, roles, since, sinceOnAgent, removed] = line
      .split(' ')
      .map((cell) => (cell === '-' ? null : cell))
    return {
      name: name ?? '',
      alias: alias ?? null,
      type: type === 'bool' || type === 'slice' ? type : 'string',
      variable: variable ?? null,
      roles: roles === 'server' ? ['server'] : roles === 'agent' ? ['agent'] : ['server', 'agent'],
      since: since ?? null,
      sinceOnAgent: sinceOnAgent ?? null,
      removed: removed ?? null,
    }
  })

const byName = new Map(
  flags.flatMap((flag) => [
    [flag.name, flag] as const,
    ...(flag.alias === null ? [] : [[flag.alias, flag] as const]),
  ]),
)

/** By name or one-letter alias, without dashes. */
export function findFlag(name: string): K3sFlag | undefined {
  return byName.get(name)
}

/** The flag that a variable takes the place of. */
export function flagOfVariable(variable: string): K3sFlag | undefined {
  return flags.find((flag) => flag.variable === variable)
}

/** Why k3s of this role and version does not take the flag; null when it does, or when the version is not known. */
export function flagRefusal(flag: K3sFlag, role: K3sRole, version: string | null): string | null {
  if (!flag.roles.includes(role)) return `a flag of ${flag.roles.join(' and ')}s only`
  if (version === null) return null
  const since = (role === 'agent' ? flag.sinceOnAgent : null) ?? flag.since
  if (since !== null && versionAtLeast(version, since) === false) return `new in k3s v${since}`
  if (flag.removed !== null && versionAtLeast(version, flag.removed) === true)
    return `removed in k3s v${flag.removed}`
  return null
}

/** Became repeatable with k3s v1.21.1 (k3s-io/k3s commit 2705431d96); before, the last value wins. */
const onceScalar = new Set(['cluster-cidr', 'service-cidr', 'cluster-dns', 'node-ip', 'node-external-ip'])

export function isRepeatable(flag: K3sFlag, version: string | null): boolean {
  if (flag.type !== 'slice') return false
  return !onceScalar.has(flag.name) || version === null || versionAtLeast(version, '1.21.1') !== false
}

/** Flags whose value is a secret: never in a unit, on a command line or in a message. */
export function isSecretFlag(name: string): boolean {
  return secretFlags.has(name)
}

const secretFlags = new Set([
  'token',
  'agent-token',
  'cluster-secret',
  'datastore-endpoint',
  'etcd-s3-access-key',
  'etcd-s3-secret-key',
  'etcd-s3-session-token',
  'vpn-auth',
])
