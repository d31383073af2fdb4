import { describe, expect, test } from 'vitest'
import { assessmentReport } from '../../../src/commands/assess-report.ts'
import { readConfig } from '../../../src/core/k3os/read.ts'
import { githubAnnotations } from '../../../src/output/annotations.ts'
import { jobSummary } from '../../../src/output/job-summary.ts'
import { assessFormats } from '../../../src/usage.ts'
import { fiveNodes, fiveNodesInventory } from '../../support/five-nodes.ts'

// Every place of a configuration that may hold a secret, and annotations that carry copies of them.

const config = `hostname: a
write_files:
- {path: /opt/secret, content: "canary-file", permissions: "0600"}
init_cmd: ["echo PASSWORD=canary-init"]
boot_cmd: ["mount -o password=canary-boot //nas/x /mnt"]
run_cmd: ["login --token canary-run", "curl https://u:canary-url@example.org"]
k3os:
  server_url: https://u:canary-server@192.0.2.10:6443
  token: canary-token
  password: canary-password
  wifi: [{name: shop, passphrase: canary-wifi}]
  environment: {API_KEY: canary-environment, http_proxy: "http://u:canary-proxy@192.0.2.1"}
  k3s_args: [server, "--agent-token=canary-argument", --datastore-endpoint, "mysql://u:canary-endpoint@db/k3s"]
  install: {config_url: "https://u:canary-install@example.org/c.yaml"}
`

function canaryAudit() {
  const inventory = fiveNodesInventory()
  if (inventory.cluster?.status !== 'read') throw new Error('the case has a cluster')
  const { facts } = inventory.cluster
  const annotations = {
    'kubectl.kubernetes.io/last-applied-configuration': '{"data":{"password":"canary-annotation"}}',
    'k3s.io/node-env': '{"K3S_TOKEN":"canary-node-env"}',
  }
  const nodes = facts.nodes.map((node) => ({ ...node, annotations }))
  const system = { file: '/k3os/system/config.yaml', bytes: new TextEncoder().encode(config) }
  const reading = readConfig({ system, configD: [] })
  if (reading.status !== 'merged') throw new Error(reading.reason)
  return fiveNodes({
    inventory: { ...inventory, cluster: { ...inventory.cluster, facts: { ...facts, nodes } } },
    configs: new Map(inventory.nodes.map(({ name }) => [name, reading])),
  })
}

const audit = canaryAudit()
const reports: readonly (readonly [string, string])[] = [
  ...assessFormats.map(
    (format) =>
      [format, assessmentReport(audit, format, { for: 'file', inventoryFile: 'inventory.yaml' })] as const,
  ),
  ['summary', jobSummary(audit.assessment)],
  ['annotations', githubAnnotations(audit.assessment.findings)],
]

describe('no canary sings in', () => {
  test.each(reports)('%s', (_, text) => {
    expect(text.match(/.{0,40}canary-[a-z]+/g)).toBeNull()
    expect(text.length).toBeGreaterThan(1000)
  })
})

test('they were there to be found: the configuration is in the page', () => {
  const [, html = ''] = reports.find(([format]) => format === 'html') ?? []
  expect(html).toContain('k3os.environment.API_KEY')
  expect(html.match(/&lt;redacted:\d+&gt;/g)?.length).toBeGreaterThan(10)
})
