import type { Finding } from '../findings.ts'
import type { Traced } from '../host/model.ts'
import type { KubeNode } from '../inventory.ts'
import { translateFinding } from '../rules/translate.ts'

/**
 * Which configured taints to register. k3OS gives each one its own `--kubelet-arg register-with-taints=`, and the last
 * replaces the others (k3s-io/k3s pkg/daemons/config GetArgsList; kubernetes RegisterWithTaintsVar.Set), unless one entry
 * holds several with commas. The Node object knows better than either: what it lacks is not brought in by a move.
 */
export function registeredTaints(
  node: string,
  configured: readonly Traced<string>[],
  nodeObject: KubeNode | null,
): { readonly taints: readonly Traced<string>[]; readonly findings: readonly Finding[] } {
  const findings: Finding[] = []
  const report = (taint: Traced<string>, evidence: 'node-object' | 'last-wins'): void => {
    for (const path of taint.from)
      findings.push(
        translateFinding('TRN-TAINT-NOT-REGISTERED', { taint: taint.value, evidence }, { node, path }),
      )
  }
  if (nodeObject === null) {
    for (const taint of configured.slice(0, -1)) report(taint, 'last-wins')
    return { taints: configured.slice(-1), findings }
  }
  const inForce = new Set(nodeObject.taints.map(({ key, value, effect }) => spelling(key, value, effect)))
  const taints: Traced<string>[] = []
  for (const taint of configured) {
    const parts = taint.value.split(',')
    const kept = parts.filter((part) => inForce.has(normal(part)))
    if (kept.length > 0) taints.push({ value: kept.join(','), from: taint.from })
    const lost = parts.filter((part) => !kept.includes(part))
    if (lost.length > 0) report({ value: lost.join(','), from: taint.from }, 'node-object')
  }
  return { taints, findings }
}

function spelling(key: string, value: string, effect: string): string {
  return `${key}${value === '' ? '' : `=${value}`}:${effect}`
}

/** `key=value:Effect`, `key=:Effect` and `key:Effect`. */
function normal(taint: string): string {
  const colon = taint.lastIndexOf(':')
  const [key = '', value = ''] = taint.slice(0, colon).split('=', 2)
  return spelling(key, value, taint.slice(colon + 1))
}
