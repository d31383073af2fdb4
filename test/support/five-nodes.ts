import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { assess, type AssessInput } from '../../src/core/assess/assess.ts'
import { inventorySchema, type Inventory } from '../../src/core/inventory.ts'
import { readConfig } from '../../src/core/k3os/read.ts'
import type { Requirements } from '../../src/core/requirements.ts'
import type { Audit, NodeConfig } from '../../src/output/audit/audit.ts'

const folder = new URL('../golden/assess/five-nodes/', import.meta.url)

export const secrets = { token: 'canary-token-0815', password: 'canary-password-0815' }

const config = `hostname: till-1
write_files:
- {path: /etc/motd, content: "hello <b>shop</b>\\n", permissions: "0644"}
k3os:
  token: ${secrets.token}
  password: ${secrets.password}
  labels: {region: eu}
  k3s_args: [agent, "--token=${secrets.token}"]
`

const small: Requirements = {
  machines: ['x86_64', 'aarch64', 'armv7l'],
  memoryMib: 512,
  diskMib: 4096,
  x86Level: 1,
  firmware: ['uefi', 'bios'],
  cgroup: ['v1', 'v2'],
  rejoins: true,
}

export function fiveNodesInventory(): Inventory {
  return inventorySchema.parse(parse(readFileSync(new URL('inventory.yaml', folder), 'utf8')))
}

/** The shop of the golden case with configurations that were read, two targets and one waiver. */
export function fiveNodes(
  changes: Partial<Omit<AssessInput, 'configs'>> & { readonly configs?: Audit['configs'] } = {},
): Audit {
  const inventory = changes.inventory ?? fiveNodesInventory()
  const read = (system: string, dropIn = 'k3os: {labels: {region: eu-north}}\n'): NodeConfig => {
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
    return readConfig({
      system: { file: '/k3os/system/config.yaml', bytes: bytes(system) },
      configD: [{ file: '/var/lib/rancher/k3os/config.d/10.yaml', bytes: bytes(dropIn) }],
    })
  }
  const configs =
    changes.configs ??
    new Map<string, NodeConfig>([
      ['shop-server', read(config.replace('till-1', 'shop-server'))],
      ['till-1', read(config)],
      ['till-2', read('hostname: till-2\nk3os:\n  token: [1]\n')],
      ['sensor', { status: 'unread', reason: 'there is no bundle', findings: [] }],
    ])
  const assessment = assess({
    inventory,
    inventorySha256: 'ab'.repeat(32),
    configs,
    targets: [
      { id: 'small', title: 'A system for old machines', requires: small },
      {
        id: 'modern',
        title: 'A system for today',
        requires: { ...small, machines: ['x86_64'], memoryMib: 2048, x86Level: 2, rejoins: false },
      },
    ],
    waivers: [
      {
        key: 'PRE-UNMANAGED:Pod/shop/debug-shell',
        reason: 'left open by the last visit',
        approvedBy: 'kim@example.org',
        expires: '2026-12-31',
      },
    ],
    waiversSha256: 'cd'.repeat(32),
    metadata: { createdAt: '2026-11-23T10:00:00.000Z', toolVersion: '0.1.0' },
    ...changes,
  })
  return { assessment, inventory, configs }
}
