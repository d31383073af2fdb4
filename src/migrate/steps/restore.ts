import { z } from 'zod'
import type { KubeNode } from '../../core/inventory.ts'
import { clusterTaints, softTaint } from '../../core/plan-fingerprint.ts'
import type { Step } from '../step.ts'
import { baseline } from './baseline.ts'
import { readNode } from './check.ts'
import { upgradesMark } from './defuse.ts'

const restoreSchema = z.object({
  annotations: z.record(z.string(), z.string().nullable()),
  labels: z.record(z.string(), z.string().nullable()),
  taints: z.array(z.strictObject({ key: z.string(), value: z.string(), effect: z.string() })),
})

/** Labels that kubelet, k3s or k3OS own: compared and reported, never written back. */
const foreignLabels =
  /^(k3os\.io\/|plan\.upgrade\.cattle\.io\/|k3s\.io\/|etcd\.k3s\.cattle\.io\/|flannel\.alpha\.coreos\.com\/|node\.alpha\.kubernetes\.io\/|beta\.kubernetes\.io\/|kubernetes\.io\/(hostname|arch|os)$|node\.kubernetes\.io\/instance-type$|node-role\.kubernetes\.io\/)/

/** Annotations that kubelet, k3s, its network or this tool write. */
const foreignAnnotations =
  /^(k3os\.io\/|plan\.upgrade\.cattle\.io\/|k3s\.io\/|etcd\.k3s\.cattle\.io\/|flannel\.alpha\.coreos\.com\/|(node\.)?alpha\.kubernetes\.io\/|(csi\.volume|volumes)\.kubernetes\.io\/|k3os-migrate\/)/

export function ownAnnotations({ annotations }: Pick<KubeNode, 'annotations'>): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => !foreignAnnotations.test(key)))
}

/** Labels of k3OS and its upgrader, which would make the old upgrade Plan attack the new system. */
const k3osLabels = /^(k3os\.io\/|plan\.upgrade\.cattle\.io\/)/

/** What was set with kubectl comes back; what only k3OS needs goes. */
export const restore: Step = {
  id: 'restore',
  async intent(context) {
    const before = baseline(context)
    const now = await readNode(context)
    const labels: Record<string, string | null> = {}
    for (const [key, value] of Object.entries(before.labels)) {
      if (!foreignLabels.test(key) && now.labels[key] !== value) labels[key] = value
    }
    for (const key of Object.keys(now.labels)) if (k3osLabels.test(key)) labels[key] = null
    // One that has another value now was written since, by whoever owns it.
    const lost = Object.entries(before.annotations).filter(([key]) => now.annotations[key] === undefined)
    return {
      labels,
      annotations: {
        ...Object.fromEntries(lost),
        ...(now.annotations[upgradesMark] === undefined ? {} : { [upgradesMark]: null }),
      },
      taints: before.taints.filter(({ key }) => !clusterTaints.test(key)),
    }
  },
  async actions(context, intent) {
    const { labels, annotations, taints } = restoreSchema.parse(intent)
    const now = await readNode(context)
    const own = now.taints.filter(({ key }) => clusterTaints.test(key))
    const wanted = [...own, ...taints]
    const parts = [
      ...Object.entries(labels).map(([key, value]) =>
        value === null ? `label ${key} removed` : `label ${key}=${value}`,
      ),
      ...Object.entries(annotations).map(([key, value]) =>
        value === null ? `annotation ${key} removed` : `annotation ${key}`,
      ),
      ...(now.taints.some(({ key }) => key === softTaint) ? [`taint ${softTaint} removed`] : []),
      ...(sameTaints(
        now.taints.filter(({ key }) => key !== softTaint),
        wanted,
      )
        ? []
        : [`taints ${taints.map((t) => `${t.key}:${t.effect}`).join(', ') || 'none'}`]),
    ]
    if (parts.length === 0) return []
    return [
      {
        describe: `restore on ${context.node.name}: ${parts.join('; ')}`,
        async run(signal) {
          await context.kube.patchNode(context.node.name, { labels, annotations, taints: wanted }, signal)
        },
      },
    ]
  },
  async observe(context, intent) {
    const { labels, annotations, taints } = restoreSchema.parse(intent)
    const now = await readNode(context)
    const annotated = Object.entries(annotations).every(
      ([key, value]) => (now.annotations[key] === undefined) === (value === null),
    )
    const labelled = Object.entries(labels).every(([key, value]) => (now.labels[key] ?? null) === value)
    const tainted = sameTaints(
      now.taints.filter(({ key }) => !clusterTaints.test(key)),
      taints,
    )
    return labelled && annotated && tainted ? 'done' : 'not-started'
  },
}

type Taints = readonly { readonly key: string; readonly value: string; readonly effect: string }[]

function sameTaints(a: Taints, b: Taints): boolean {
  const text = (taints: Taints) =>
    taints
      .map((t) => `${t.key}=${t.value}:${t.effect}`)
      .toSorted()
      .join()
  return text(a) === text(b)
}
