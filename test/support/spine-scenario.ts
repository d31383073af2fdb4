import type { Scenario, ScenarioNode } from '../../src/simulation/scenario.ts'

/** Secrets that must stay where they belong: in bundles and seeds, 0600, and nowhere else. */
export const canaries = {
  token: 'canary-cluster-token-7c1f',
  wifiPassphrase: 'canary-wifi-passphrase-52ab',
  registryPassword: 'canary-registry-password-90de',
  nodePassword: (node: string) => `canary-node-password-of-${node}`,
} as const

/** Set with kubectl, in no configuration: nothing but the move itself can carry them over. */
export const kubectlLabel = { key: 'example.org/rack', value: (node: string) => `rack-of-${node}` }
export const kubectlTaint = { key: 'example.org/till', value: '', effect: 'PreferNoSchedule' } as const

const registries = [
  'configs:',
  '  registry.example.org:',
  '    auth:',
  '      username: shops',
  `      password: ${canaries.registryPassword}`,
  '',
].join('\n')

/** One server `s` and these agents, all on k3OS, with a little of everything that a translation has to carry. */
export function spineScenario(agents: readonly string[]): Scenario {
  return {
    about: 'one server and a few agents',
    cluster: { version: '', uid: '', token: canaries.token },
    nodes: [node('s', 'server', 10), ...agents.map((name, index) => node(name, 'agent', 11 + index))],
    workloads: [],
    budgets: [],
    localVolumes: agents
      .slice(0, 1)
      .map((name) => ({ name: 'pvc-1', node: name, namespace: 'shop', claim: 'data-till-0', bytes: 4096 })),
    upgradePlan: false,
  }
}

function node(name: string, role: 'server' | 'agent', number: number): ScenarioNode {
  const config = {
    hostname: name,
    write_files: [{ path: '/etc/rancher/k3s/registries.yaml', permissions: '0600', content: registries }],
    k3os: {
      ...(role === 'agent' ? { server_url: 'https://192.0.2.10:6443' } : {}),
      token: canaries.token,
      wifi: [{ name: 'shop', passphrase: canaries.wifiPassphrase }],
      labels: { 'example.org/from-config': 'yes' },
    },
  }
  return {
    name,
    role,
    address: `192.0.2.${number}`,
    gateway: '192.0.2.1',
    k3os: 'v0.20.15-k3s1r0',
    k3s: 'v1.20.15+k3s1',
    kernel: '5.4.0-88-generic',
    machine: {
      board: 'Lab',
      cpu: 'Lab CPU',
      cores: 4,
      flags: 'lm cmov cx8 fpu fxsr mmx syscall sse sse2',
      memoryMib: 8192,
      diskMib: 64_000,
      freeMib: 40_000,
      firmware: 'bios',
      uuid: `10000000-0000-4000-8000-0000000000${number}`,
      mac: `52:54:00:00:00:${number}`,
      driver: 'virtio_net',
    },
    files: {
      // YAML reads JSON.
      '/k3os/system/config.yaml': `${JSON.stringify(config, null, 2)}\n`,
      '/proc/cmdline': 'BOOT_IMAGE=(loop0)/vmlinuz printk.devkmsg=on console=tty1\n',
      '/etc/rancher/k3s/registries.yaml': registries,
    },
    labels: { [kubectlLabel.key]: kubectlLabel.value(name) },
    taints: role === 'agent' ? [kubectlTaint] : [],
    nodePassword: canaries.nodePassword(name),
  }
}
