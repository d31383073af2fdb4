import type { AssessRuleId } from './found.ts'

/** Rules that are never about one node: for those "nothing found on this node" would say nothing. */
export const clusterOnly: ReadonlySet<string> = new Set<AssessRuleId>([
  'INV-CLUSTER-UNREAD',
  'INV-CLUSTER-PARTIAL',
  'PRE-ETCD',
  'PRE-BASELINE',
  'PRE-DAEMONSET',
  'PRE-WEBHOOK-DEAD',
  'PRE-COMPETING',
  'PRE-LADDER-API',
  'PRE-LADDER-APPLIED',
  'PRE-LADDER-RELEASE',
])
