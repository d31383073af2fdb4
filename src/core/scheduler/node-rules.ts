import type { KubeNode, Pod } from '../inventory.ts'
import { matchesSelector, type LabelSelector } from '../selector.ts'
import type { NodeTerm, PlacementRules } from './placement-rules.ts'

/** Whether a node suits a pod, by what both say of themselves and without a look at other pods. */

type Expression = LabelSelector['matchExpressions'][number]
type Taint = KubeNode['taints'][number]

/** Node selector and required node affinity. */
export function suitsNode(pod: Pod, rules: PlacementRules, node: KubeNode): boolean {
  return (
    Object.entries(pod.scheduling.nodeSelector).every(([key, value]) => node.labels[key] === value) &&
    (rules.nodeTerms === null || rules.nodeTerms.some((term) => termHolds(term, node)))
  )
}

// A term without any requirement selects no node (kubernetes/component-helpers scheduling/corev1/nodeaffinity).
function termHolds({ labels, fields }: NodeTerm, node: KubeNode): boolean {
  if (labels.length + fields.length === 0) return false
  return (
    labels.every((one) => holds(one, node.labels)) &&
    fields.every((one) => holds(one, { 'metadata.name': node.name }))
  )
}

function holds(expression: Expression, labels: Readonly<Record<string, string>>): boolean {
  const { key, operator, values } = expression
  if (operator !== 'Gt' && operator !== 'Lt')
    return matchesSelector(labels, { matchLabels: {}, matchExpressions: [expression] })
  const have = integer(labels[key])
  const want = integer(values[0])
  if (have === null || want === null) return false
  return operator === 'Gt' ? have > want : have < want
}

function integer(text: string | undefined): number | null {
  return text !== undefined && /^[+-]?\d+$/.test(text) ? Number(text) : null
}

/** The first taint that keeps the pod off the node. */
export function repellingTaint(pod: Pod, node: KubeNode): Taint | undefined {
  return node.taints.find(
    (taint) =>
      (taint.effect === 'NoSchedule' || taint.effect === 'NoExecute') &&
      !pod.scheduling.tolerations.some((toleration) => tolerates(toleration, taint)),
  )
}

// kubernetes/api core/v1/toleration.go ToleratesTaint
function tolerates(toleration: Pod['scheduling']['tolerations'][number], taint: Taint): boolean {
  if (toleration.effect !== '' && toleration.effect !== taint.effect) return false
  if (toleration.key !== '' && toleration.key !== taint.key) return false
  if (toleration.operator === 'Exists') return true
  return toleration.key !== '' && toleration.value === taint.value
}

export function taintText({ key, value, effect }: Taint): string {
  return `${key}${value === '' ? '' : `=${value}`}:${effect}`
}

type HostPort = Pod['scheduling']['hostPorts'][number]

/** The port that both want of one node; an address that is not given means all of them. */
export function takenPort(wanted: readonly HostPort[], taken: readonly HostPort[]): HostPort | undefined {
  return wanted.find((want) =>
    taken.some(
      (other) =>
        other.port === want.port &&
        other.protocol === want.protocol &&
        (isAnyAddress(other.ip) || isAnyAddress(want.ip) || other.ip === want.ip),
    ),
  )
}

function isAnyAddress(ip: string | null): boolean {
  return ip === null || ip === '' || ip === '0.0.0.0'
}
