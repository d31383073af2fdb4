import { z } from 'zod'
import type { Namespace } from '../cluster-objects.ts'
import { exitCode, MigrateError } from '../errors.ts'
import type { Pod } from '../inventory.ts'
import { parseQuantity } from '../quantity.ts'
import { matchesSelector, type LabelSelector } from '../selector.ts'

/** What one pod demands of the node it is placed on, read from its specification. Preferences are left out. */
export interface PlacementRules {
  /** Resource and amount in thousandths; nothing that is 0. */
  readonly requests: readonly (readonly [resource: string, amount: number])[]
  /** One of them must hold; null without a node affinity. */
  readonly nodeTerms: readonly NodeTerm[] | null
  readonly near: readonly PodTerm[]
  readonly apart: readonly PodTerm[]
  readonly spread: readonly SpreadRule[]
}

export interface NodeTerm {
  readonly labels: LabelSelector['matchExpressions']
  readonly fields: LabelSelector['matchExpressions']
}

export interface PodTerm {
  /** Null selects nothing. */
  readonly selector: LabelSelector | null
  /** `unknown`: chosen by labels of namespaces that were not read. */
  readonly namespaces: readonly string[] | 'all' | 'unknown'
  readonly topologyKey: string
}

export interface SpreadRule {
  readonly maxSkew: number
  readonly minDomains: number
  readonly topologyKey: string
  readonly selector: LabelSelector | null
  readonly honorAffinity: boolean
  readonly honorTaints: boolean
}

const expressions = z
  .array(z.object({ key: z.string(), operator: z.string(), values: z.array(z.string()).nullish() }))
  .nullish()
  .transform((list) =>
    (list ?? []).map(({ key, operator, values }) => ({ key, operator, values: values ?? [] })),
  )

const labelSelector = z
  .object({ matchLabels: z.record(z.string(), z.string()).nullish(), matchExpressions: expressions })
  .transform(({ matchLabels, matchExpressions }) => ({ matchLabels: matchLabels ?? {}, matchExpressions }))

const podTerms = z
  .object({
    requiredDuringSchedulingIgnoredDuringExecution: z
      .array(
        z.object({
          labelSelector: labelSelector.nullish(),
          namespaces: z.array(z.string()).nullish(),
          namespaceSelector: labelSelector.nullish(),
          topologyKey: z.string(),
        }),
      )
      .nullish(),
  })
  .nullish()

const affinity = z.object({
  nodeAffinity: z
    .object({
      requiredDuringSchedulingIgnoredDuringExecution: z
        .object({
          nodeSelectorTerms: z.array(z.object({ matchExpressions: expressions, matchFields: expressions })),
        })
        .nullish(),
    })
    .nullish(),
  podAffinity: podTerms,
  podAntiAffinity: podTerms,
})

const policy = z.enum(['Honor', 'Ignore']).nullish()
const spreadConstraint = z.object({
  maxSkew: z.number(),
  minDomains: z.number().nullish(),
  topologyKey: z.string(),
  whenUnsatisfiable: z.string(),
  labelSelector: labelSelector.nullish(),
  matchLabelKeys: z.array(z.string()).nullish(),
  nodeAffinityPolicy: policy,
  nodeTaintsPolicy: policy,
})

/**
 * `namespaces` are those of the cluster where they are known. Throws exit 65 when a part of the specification is not of the
 * form that Kubernetes gives it.
 */
export function placementRules(pod: Pod, namespaces: readonly Namespace[] | null = null): PlacementRules {
  const { affinity: written, topologySpread } = pod.scheduling
  const read = written === null ? null : parsed(affinity, written, 'the affinity', pod)
  return {
    requests: Object.entries(pod.requests)
      .map(([resource, text]) => [resource, parseQuantity(text)] as const)
      .filter(([, amount]) => amount > 0),
    nodeTerms:
      read?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms.map(
        ({ matchExpressions, matchFields }) => ({ labels: matchExpressions, fields: matchFields }),
      ) ?? null,
    near: termsOf(read?.podAffinity, pod, namespaces),
    apart: termsOf(read?.podAntiAffinity, pod, namespaces),
    spread: topologySpread
      .map((one) => parsed(spreadConstraint, one, 'a topology spread constraint', pod))
      .filter(({ whenUnsatisfiable }) => whenUnsatisfiable === 'DoNotSchedule')
      .map((one) => spreadRule(one, pod)),
  }
}

function parsed<T>(schema: z.ZodType<T>, value: unknown, what: string, pod: Pod): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw new MigrateError(`${what} of the pod ${pod.namespace}/${pod.name} is not understood`, {
    exitCode: exitCode.badInput,
  })
}

function termsOf(
  terms: z.infer<typeof podTerms>,
  pod: Pod,
  namespaces: readonly Namespace[] | null,
): PodTerm[] {
  return (terms?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => {
    const named = term.namespaces ?? []
    const chosen = term.namespaceSelector ?? null
    const all =
      chosen !== null && Object.keys(chosen.matchLabels).length === 0 && chosen.matchExpressions.length === 0
    const own = named.length === 0 ? [pod.namespace] : named
    return {
      selector: term.labelSelector ?? null,
      namespaces: all ? 'all' : chosen === null ? own : meant(chosen, named, namespaces),
      topologyKey: term.topologyKey,
    }
  })
}

/** Those named and those chosen by their labels together. */
function meant(
  chosen: LabelSelector,
  named: readonly string[],
  namespaces: readonly Namespace[] | null,
): PodTerm['namespaces'] {
  if (namespaces === null) return 'unknown'
  const byLabels = namespaces.filter(({ labels }) => matchesSelector(labels, chosen)).map(({ name }) => name)
  return [...new Set([...named, ...byLabels])]
}

function spreadRule(constraint: z.infer<typeof spreadConstraint>, pod: Pod): SpreadRule {
  const selector = constraint.labelSelector ?? null
  const keys = (constraint.matchLabelKeys ?? []).filter((key) => pod.labels[key] !== undefined)
  const same = keys.map((key) => ({ key, operator: 'In', values: [pod.labels[key] ?? ''] }))
  return {
    maxSkew: constraint.maxSkew,
    minDomains: constraint.minDomains ?? 1,
    topologyKey: constraint.topologyKey,
    selector:
      selector === null ? null : { ...selector, matchExpressions: [...selector.matchExpressions, ...same] },
    honorAffinity: constraint.nodeAffinityPolicy !== 'Ignore',
    honorTaints: constraint.nodeTaintsPolicy === 'Honor',
  }
}
