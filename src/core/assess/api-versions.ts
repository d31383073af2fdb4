import type { Finding } from '../findings.ts'
import { apiEnd, minorOf, type ApiEnd } from '../k3s/ladder.ts'
import type { ManifestObject } from '../manifest-objects.ts'
import type { AssessContext, Check } from './context.ts'
import { found } from './found.ts'

/** Who still writes API versions that end: manifests that k3s applies, what was applied by hand, and Helm. */
export const apiVersionChecks: readonly Check[] = [
  { rules: ['PRE-LADDER-MANIFEST'], needs: ['machines'], lacks: manifestsLacking, run: manifests },
  { rules: ['PRE-LADDER-APPLIED'], needs: ['cluster'], lacks: appliedLacking, run: applied },
  { rules: ['PRE-LADDER-RELEASE'], needs: ['cluster'], lacks: releasesLacking, run: releases },
]

interface Written {
  readonly object: ManifestObject
  /** `traefik.yaml`, `shop/web`, … */
  readonly place: string
  readonly nodes: readonly string[]
}

interface Group {
  readonly end: ApiEnd
  readonly places: Set<string>
  readonly nodes: Set<string>
}

/** One group for each version that ends; kinds of it that nobody writes are not named. */
function ending(written: readonly Written[]): Group[] {
  const groups = new Map<string, Group>()
  for (const { object, place, nodes } of written) {
    const end = apiEnd(object.apiVersion, object.kind)
    if (end === null) continue
    const key = `${end.version} ${end.minor} ${object.kind}`
    const group = groups.get(key) ?? {
      end: { ...end, kinds: [object.kind] },
      places: new Set(),
      nodes: new Set(),
    }
    groups.set(key, group)
    group.places.add(place)
    for (const node of nodes) group.nodes.add(node)
  }
  return [...groups.values()]
}

function findings(
  rule: 'PRE-LADDER-MANIFEST' | 'PRE-LADDER-APPLIED' | 'PRE-LADDER-RELEASE',
  written: readonly Written[],
  version: string | null,
): Finding[] {
  const now = minorOf(version ?? '')
  return ending(written).map(({ end, places, nodes }) => {
    const gone = now !== null && end.minor <= now
    const facts = { ...end, places: [...places].toSorted(), nodes: [...nodes], gone }
    return found(rule, facts, {
      subject: { kind: 'Cluster' },
      discriminator: `${end.version}/${end.kinds.join('+')}`,
      // What k3s cannot apply any more is broken today.
      severity: gone ? 'medium' : 'info',
    })
  })
}

function servers({ machines }: AssessContext) {
  return machines.filter(({ facts, runsK3os }) => runsK3os && facts?.k3s.role === 'server')
}

function manifestsLacking(context: AssessContext): string | null {
  const unread = servers(context).filter(({ facts }) => facts?.service.manifestObjects === undefined)
  return unread.length === 0
    ? null
    : 'the inventory was taken before objects in manifests were kept; take it again'
}

function manifests(context: AssessContext): Finding[] {
  const written = servers(context).flatMap(({ name, facts }) =>
    (facts?.service.manifestObjects ?? []).map(({ file, ...object }) => ({
      object,
      place: file,
      nodes: [name],
    })),
  )
  const version = context.cluster?.version ?? servers(context)[0]?.facts?.k3s.version ?? null
  return findings('PRE-LADDER-MANIFEST', written, version)
}

function appliedLacking({ cluster }: AssessContext): string | null {
  return cluster === null || cluster.lastApplied !== undefined
    ? null
    : 'the inventory was taken before versions given to `kubectl apply` were kept; take it again'
}

function applied({ cluster }: AssessContext): Finding[] {
  const written = (cluster?.lastApplied ?? []).map((object) => ({
    object,
    place: [object.namespace, object.name].filter((part) => part !== null).join('/'),
    nodes: [],
  }))
  const unread = cluster?.lastAppliedUnread ?? []
  return [
    ...findings('PRE-LADDER-APPLIED', written, cluster?.version ?? null),
    ...(unread.length === 0
      ? []
      : [notRead('PRE-LADDER-APPLIED', unread.map(({ reason }) => reason).join('; '))]),
  ]
}

/** Stops nothing: what the texts of others say is for later. */
function notRead(rule: 'PRE-LADDER-APPLIED' | 'PRE-LADDER-RELEASE', unread: string): Finding {
  const nothing = { version: '', minor: 0, instead: null, kinds: [], places: [], nodes: [], gone: false }
  return found(
    rule,
    { ...nothing, unread },
    { subject: { kind: 'Cluster' }, discriminator: 'unread', severity: 'info', result: 'skip' },
  )
}

function releasesLacking({ cluster }: AssessContext): string | null {
  return cluster === null || cluster.helmReleases !== undefined
    ? null
    : 'Helm releases lie in Secrets and were not asked for: inventory --helm-releases'
}

function releases({ cluster }: AssessContext): Finding[] {
  const read = cluster?.helmReleases
  if (read === undefined) return []
  if (read.status === 'error') return [notRead('PRE-LADDER-RELEASE', read.reason)]
  const written = read.releases.flatMap(({ namespace, name, objects }) =>
    objects.map((object) => ({ object, place: `${namespace}/${name}`, nodes: [] })),
  )
  return findings('PRE-LADDER-RELEASE', written, cluster?.version ?? null)
}
