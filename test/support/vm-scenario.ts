import { parseScenario, type Scenario } from '../../src/simulation/scenario.ts'

/**
 * Machines small enough for a lab in software: a server that holds the datastore, and an agent with a volume. The address of
 * the router is, for the machine, this computer: a control plane on `port` here is `https://192.0.2.1:PORT` there.
 */
export function vmScenario(options: { readonly serverUrl?: string } = {}): Scenario {
  const serverUrl = options.serverUrl ?? 'https://192.0.2.1:6443'
  return parseScenario(
    `
about: Two small machines for the lab of virtual machines.
cluster: {version: v1.21.5+k3s2, uid: 0e1b1f4e-6f0a-4a0d-9d57-0c6f5e6a7b81, token: lab-token}
nodes:
- &node
  name: vm-agent
  role: agent
  address: 192.0.2.15
  k3os: v0.21.5-k3s2r1
  k3s: v1.21.5+k3s2
  kernel: of-the-lab
  nodePassword: 5d0c1f0be2a94c7f9d1e8a7b6c5d4e3f
  machine: &machine
    board: Lab machine
    cpu: QEMU Virtual CPU
    cores: 2
    flags: fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 ht syscall nx lm pni cx16 hypervisor lahf_lm
    memoryMib: 1024
    diskMib: 6144
    freeMib: 5500
    firmware: bios
    uuid: 6b2f4a10-58c1-4f5e-9b0a-3f1d5c7e9a15
    mac: 52:54:00:4b:33:15
    driver: e1000e
  files:
    /k3os/system/config.yaml: |
      hostname: vm-agent
      k3os:
        server_url: ${serverUrl}
        token: lab-token
        labels: {example.com/site: lab}
        taints: [example.com/only=lab:PreferNoSchedule]
        sysctls: {fs.inotify.max_user_instances: 512}
      write_files:
      - {path: /etc/lab-note, content: made at each boot, permissions: "0640"}
      run_cmd: ["echo run_cmd >> /var/log/lab-run"]
- <<: *node
  name: vm-server
  role: server
  address: 192.0.2.16
  nodePassword: a7c3e9d15b204f86b1d2c3e4f5061728
  machine:
    <<: *machine
    firmware: uefi
    uuid: 6b2f4a10-58c1-4f5e-9b0a-3f1d5c7e9a16
    mac: 52:54:00:4b:33:16
  files:
    /k3os/system/config.yaml: |
      hostname: vm-server
      k3os:
        token: lab-token
        k3s_args: [server, --disable=traefik]
    /var/lib/rancher/k3s/server/db/state.db: ''
    /var/lib/connman/default.config: |
      [service_eth0]
      Type=ethernet
      MAC=52:54:00:4b:33:16
      IPv4=192.0.2.16/255.255.255.0/192.0.2.1
      IPv6=off
      Nameservers=192.0.2.1
localVolumes:
- {name: pvc-0a1b, node: vm-agent, namespace: shop, claim: orders, bytes: 4096}
`,
    'vm-scenario.ts',
  )
}
