import type { Bundle } from '../../src/core/bundle.ts'
import type { KubeNode, NodeFacts } from '../../src/core/inventory.ts'
import type { K3osConfig } from '../../src/core/k3os/config.ts'
import type { NodeToTranslate } from '../../src/core/translate-node.ts'
import { leaves } from '../../src/core/path.ts'

/** A node as `translateNode` takes it, from an already merged configuration. */
export function nodeFrom(
  config: K3osConfig,
  more: { facts?: NodeFacts; bundle?: Bundle; nodeObject?: KubeNode; nonce?: string } = {},
): NodeToTranslate {
  const place = { file: 'config.yaml', line: 1, column: 1, endLine: 1, endColumn: 2 }
  const origin = { source: 'system', place, spelling: null, verbatim: true, overrode: [] } as const
  return {
    name: config.hostname ?? 'node',
    reading: {
      status: 'merged',
      config,
      origins: new Map(leaves(config).map(([path]) => [path, origin])),
      findings: [],
    },
    bundle: more.bundle ?? null,
    facts: more.facts ?? null,
    nodeObject: more.nodeObject ?? null,
    nonce: more.nonce ?? null,
  }
}

function file(
  path: string,
  content: string,
  more: Partial<NonNullable<K3osConfig['writeFiles']>[number]> = {},
) {
  return { encoding: '', content, owner: '', path, permissions: '', ...more }
}

/** Every key of K3osConfig at least once; a new key must be added here, which the type checks. */
export const everyKey: Required<Omit<K3osConfig, 'k3os'>> & { readonly k3os: Required<K3osConfig['k3os']> } =
  {
    sshAuthorizedKeys: [
      'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICq/HIzukGEITFC7XU4TPNwp0n+wx/QrgVPGsRUxNccE me',
      'github:someone',
    ],
    writeFiles: [
      file('/etc/motd', 'hello\n', { permissions: '0600', owner: 'rancher' }),
      file('/run/app/state', 'x\n'),
      file(
        '/var/lib/connman/default.config',
        '[service_eth0]\nType=ethernet\nMAC=52:54:00:aa:bb:01\nIPv4=10.0.0.5/24/10.0.0.1\n',
      ),
      file('/etc/init.d/own', '#!/sbin/openrc-run\n'),
      file('/etc/local.d/own.start', '#!/bin/sh\nrc-service own start\n', { permissions: '0755' }),
      file('/etc/rancher/k3s/registries.yaml', 'mirrors: {}\n'),
      file('/etc/rancher/k3s/config.yaml', 'node-label: [own=1]\n'),
      file('/var/lib/rancher/k3s/server/manifests/own.yaml', 'kind: Namespace\n'),
      file('/proc/sys/kernel/panic', '10\n'),
      file('/etc/environment', 'export EDITOR=vi\n'),
      file('/etc/bad', 'x', { encoding: 'B64' }),
      file('/etc/binary', 'AAEC', { encoding: 'b64' }),
    ],
    hostname: 'n1',
    initCmd: ['echo init'],
    bootCmd: ['echo boot'],
    runCmd: ['echo run', 'connmanctl config x --ipv4 manual 10.0.0.5 255.255.255.0 10.0.0.1'],
    k3os: {
      dataSources: ['aws'],
      modules: ['kvm', 'nf_conntrack hashsize=131072'],
      sysctls: { 'kernel.panic': '10', 'net.core.somaxconn': '2048' },
      ntpServers: ['ntp.example.com'],
      dnsNameservers: ['192.0.2.53'],
      wifi: [
        { name: 'shop', passphrase: 'wifi-secret-1' },
        { name: '', passphrase: '' },
      ],
      password: '$1$abcdefgh$w9mHfjQ1Sdw3aSPqZv1Xh/',
      serverUrl: 'https://10.0.0.1:6443',
      token: 'short-secret',
      labels: { zone: 'b', 'k3os.io/mode': 'mine' },
      k3sArgs: ['server', '--disable', 'traefik', '--nonsense=1', '--kubelet-arg=max-pods=200'],
      environment: { HTTP_PROXY: 'http://10.0.0.9:3128', ODD: 'a$b' },
      taints: ['k1=v1:NoSchedule', 'k0:NoExecute'],
      install: {
        forceEfi: true,
        device: '/dev/sda',
        configUrl: 'http://10.0.0.9/config.yaml',
        silent: true,
        isoUrl: 'http://10.0.0.9/k3os.iso',
        powerOff: true,
        noFormat: true,
        debug: true,
        tty: 'ttyS0',
      },
    },
  }
