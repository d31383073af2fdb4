import type { Webhook, WebhookService } from '../cluster-objects.ts'
import type { Finding } from '../findings.ts'
import type { ClusterFacts } from '../inventory.ts'
import { matchesSelector } from '../selector.ts'
import type { AssessContext, Check } from './context.ts'
import { found } from './found.ts'
import { toMove } from './workloads.ts'

/** Admission webhooks that refuse when nobody answers: not now, or not while a node is away. */
export const webhookChecks: readonly Check[] = [
  { rules: ['PRE-WEBHOOKS'], needs: ['cluster'], run: answeredHere },
  { rules: ['PRE-WEBHOOK-DEAD'], needs: ['cluster'], lacks: servicesLacking, run: unanswered },
]

function servicesLacking({ cluster }: AssessContext): string | null {
  if (cluster === null || cluster.webhookServices !== undefined || refusing(cluster).length === 0) return null
  return 'Services and who answers for them are not in the inventory; take it again'
}

interface Refusing {
  readonly webhook: Webhook
  readonly service: NonNullable<Webhook['service']>
  /** Null when nobody has read who answers. */
  readonly answers: WebhookService | null
}

function refusing({ webhooks, webhookServices }: ClusterFacts): Refusing[] {
  return webhooks.flatMap((webhook) => {
    const { service, failurePolicy } = webhook
    if (failurePolicy !== 'Fail' || service === null) return []
    const answers = webhookServices?.find(
      ({ namespace, name }) => namespace === service.namespace && name === service.name,
    )
    return [{ webhook, service, answers: answers ?? null }]
  })
}

function answeredHere(context: AssessContext): Finding[] {
  const { cluster } = context
  if (cluster === null) return []
  const leaving = new Set(toMove(context).map(({ name }) => name))
  return refusing(cluster).flatMap(({ webhook, service, answers }) => {
    // Nobody answers already: PRE-WEBHOOK-DEAD.
    if (answers !== null && (!answers.exists || answers.ready.length === 0)) return []
    // Without Endpoints it is certain only where all ready pods of the Service's namespace are on one node.
    const ready =
      answers?.ready ??
      cluster.pods
        .filter((pod) => pod.namespace === service.namespace && pod.ready)
        .map(({ node, name }) => ({ node, pod: name }))
    const nodes = [...new Set(ready.map(({ node }) => node))]
    const [only] = nodes
    const certain = nodes.length === 1 && typeof only === 'string'
    if (certain && !leaving.has(only)) return []
    // More than one node, or an answer from outside of the cluster, is known to be enough.
    if (answers !== null && !certain) return []
    const { kind, configuration, name, rules } = webhook
    const facts = {
      kind,
      configuration,
      webhook: name,
      service: `${service.namespace}/${service.name}`,
      node: certain ? only : null,
      pods: certain ? ready.map(({ pod }) => pod ?? 'an endpoint without a pod') : [],
      rules,
    }
    return [
      found('PRE-WEBHOOKS', facts, {
        subject: { kind, name: configuration },
        discriminator: name,
        nodes: certain ? [only] : [],
        severity: certain ? 'inhibitor' : 'medium',
      }),
    ]
  })
}

function unanswered({ cluster }: AssessContext): Finding[] {
  if (cluster === null) return []
  return refusing(cluster).flatMap(({ webhook, service, answers }) => {
    if (answers === null || (answers.exists && answers.ready.length > 0)) return []
    const { kind, configuration, name, rules } = webhook
    const namespaces = meantBy(webhook, cluster)
    const facts = {
      kind,
      configuration,
      webhook: name,
      service: `${service.namespace}/${service.name}`,
      exists: answers.exists,
      notReady: answers.notReady,
      rules,
      namespaces,
    }
    return [
      found('PRE-WEBHOOK-DEAD', facts, {
        subject: { kind, name: configuration },
        discriminator: name,
        // It is asked about nothing that is there.
        severity: namespaces?.length === 0 ? 'low' : 'inhibitor',
      }),
    ]
  })
}

/** Names of the namespaces it is asked about; null for all, or when that cannot be told. */
function meantBy({ namespaceSelector, rules }: Webhook, { namespaces }: ClusterFacts): string[] | null {
  if (namespaceSelector === undefined || namespaceSelector === null || namespaces === undefined) return null
  // What lies in no namespace is guarded whatever the selector says.
  if (rules.some((rule) => /[ ,](nodes|persistentvolumes|namespaces|\*)(,|\/|$)/.test(rule))) return null
  const chosen = namespaces.filter(({ labels }) => matchesSelector(labels, namespaceSelector))
  return chosen.length === namespaces.length ? null : chosen.map(({ name }) => name)
}
