import type { Datastore, NodeFacts } from '../inventory.ts'
import type { Evidence } from './evidence.ts'
import { readK3sConfig } from './k3s-config.ts'
import { probes } from './probes.ts'

export function readK3s(evidence: Evidence): NodeFacts['k3s'] {
  const role = readRole(evidence)
  return {
    version: readVersion(evidence),
    role,
    datastore: readDatastore(evidence, role),
    hasNodePassword: readHasNodePassword(evidence),
  }
}

function readVersion(evidence: Evidence): string | null {
  const output = evidence.output(probes.k3sVersion)
  if (output === null) return null
  const [, version] = /\bk3s version (v\S+)/.exec(output) ?? []
  return version ?? evidence.fail(probes.k3sVersion, 'the answer has an unknown form')
}

/** First word of the service's arguments, which k3OS or the k3s installer always puts there: k3s-io/k3s install.sh. */
function readRole(evidence: Evidence): NodeFacts['k3s']['role'] {
  const service = evidence.text('/etc/init.d/k3s-service')
  if (service === null) return 'unknown'
  if (service === undefined) return 'none'
  const [, word] = /^command_args="[\s'\\]*([a-z]+)/m.exec(service) ?? []
  if (word === 'server' || word === 'agent') return word
  evidence.fail('/etc/init.d/k3s-service', 'its arguments start with neither "server" nor "agent"')
  return 'unknown'
}

const db = '/var/lib/rancher/k3s/server/db'

/** The signs in the order of k3s's own tests: an etcd log directory wins over everything, k3s-io/k3s pkg/etcd/etcd.go. */
function readDatastore(evidence: Evidence, role: NodeFacts['k3s']['role']): Datastore {
  if (role === 'agent' || role === 'none') return 'none'
  if (role === 'unknown') return 'unknown'
  const signs: readonly (readonly [Datastore, () => boolean | null])[] = [
    ['etcd', () => evidence.exists(`${db}/etcd/member/wal`)],
    ['external', () => hasEndpoint(evidence)],
    ['dqlite', () => evidence.exists(`${db}/state.dqlite`)],
    ['sqlite', () => evidence.exists(`${db}/state.db`)],
  ]
  for (const [datastore, sign] of signs) {
    const found = sign()
    // A sign that could not be looked for may be the one that counts.
    if (found === null) return 'unknown'
    if (found) return datastore
  }
  evidence.fail('datastore', 'this is a server, but there is no sign of any datastore')
  return 'unknown'
}

/** `--datastore-endpoint` (before k3s 1.0 `--storage-endpoint`) as flag, environment variable or in k3s's own file. */
function hasEndpoint(evidence: Evidence): boolean | null {
  const service = evidence.text('/etc/init.d/k3s-service')
  const environment = evidence.text('/etc/rancher/k3s/k3s-service.env')
  const profile = evidence.text('/etc/environment')
  const config = readK3sConfig(evidence)
  const inFlags = /--(datastore|storage)-endpoint\b/.test(service ?? '')
  const variable = /^\s*(export\s+)?["']?K3S_(DATASTORE|STORAGE)_ENDPOINT=["']?[^"'\s]/m
  const inEnvironment = [environment, profile].some((text) => variable.test(text ?? ''))
  if (inFlags || inEnvironment || config?.has('datastore-endpoint') === true) return true
  return [service, environment, profile, config].some((read) => read === null) ? null : false
}

/** `/etc/rancher/node` is a link to the persistent place since k3OS v0.7.1. */
function readHasNodePassword(evidence: Evidence): boolean | null {
  const found = ['/etc/rancher/node/password', '/var/lib/rancher/k3os/node/password'].map((path) =>
    evidence.exists(path),
  )
  if (found.includes(true)) return true
  return found.includes(null) ? null : false
}
