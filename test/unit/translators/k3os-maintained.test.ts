import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { templateTools } from '../../../src/adapters/templates.ts'
import type { K3osConfig } from '../../../src/core/k3os/config.ts'
import { readConfig } from '../../../src/core/k3os/read.ts'
import { leaves } from '../../../src/core/path.ts'
import { translateNode, type NodeToTranslate } from '../../../src/core/translate-node.ts'
import { maintained, translator } from '../../../translators/k3os-maintained/index.ts'
import { configSources } from '../../support/config-arbitrary.ts'
import { everyConfiguration } from '../../support/every-configuration.ts'
import { factsWith } from '../../support/golden-node.ts'
import { nodeFrom } from '../../support/translation.ts'

const tools = templateTools()
const long = process.env['K3OS_MIGRATE_LONG'] === '1'
const newest = maintained('v1.37.1+k3s1')

function results(config: K3osConfig, version: string | null) {
  const facts = factsWith({
    k3s: { version: 'v1.21.5+k3s2', role: 'server', datastore: 'sqlite', hasNodePassword: true },
  })
  const { files, findings, trace, delivery } = translateNode(
    nodeFrom({ ...config, k3os: { install: {}, ...config.k3os } }, { facts }),
    maintained(version),
    tools,
  )
  const file = (name: string) => String(files.find(({ path }) => path === name)?.content)
  return {
    config: reread(file('config.yaml')),
    diff: file('config.yaml.diff'),
    rules: findings.map(({ rule, location }) => `${rule} ${location?.path ?? ''}`.trim()),
    trace,
    files,
    findings,
    delivery,
  }
}

function reread(text: string): K3osConfig {
  const bytes = new TextEncoder().encode(text)
  const reading = readConfig({ system: { file: 'config.yaml', bytes }, configD: [] })
  if (reading.status !== 'merged') throw new Error(`rejected: ${reading.reason}`)
  return reading.config
}

/**
 * What of a translation does not hold: a value that is neither where the trace says nor named by a finding, and a value
 * that came from nowhere.
 */
function unexplained(node: NodeToTranslate, target = translator): string[] {
  if (node.reading.status !== 'merged') return []
  const { files, findings, trace } = translateNode(node, target, tools)
  const after = new Map(leaves(reread(String(files[0]?.content))))
  const said = new Set(findings.flatMap(({ location }) => location?.path ?? []))
  const canonical = (path: string) =>
    [...after.keys()].find((one) => trace.length > 0 && spelling(one) === path) ?? path
  const wrong = leaves(node.reading.config).flatMap(([path, value]) => {
    if (typeof value === 'object') return []
    const arrived = trace.filter(({ from }) => from === path).map(({ to }) => canonical(to.path ?? ''))
    const same = arrived.some((to) => after.get(to) === value)
    return same || said.has(path) || said.has(path.replace(/\.(?:content|encoding)$/, '.content'))
      ? []
      : [`${path} is not what it was`]
  })
  const targets = new Set(trace.map(({ to }) => canonical(to.path ?? '')))
  const invented = [...after].filter(([path, value]) => typeof value !== 'object' && !targets.has(path))
  return [...wrong, ...invented.map(([path]) => `${path} came from nowhere`)]
}

function spelling(path: string): string {
  const free = /^(k3os\.(?:labels|sysctls|environment))(.*)$/s.exec(path)
  if (free !== null) return path
  return path.replaceAll(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`)
}

describe('the configuration stays what it was', () => {
  test('where nothing has to be corrected', () => {
    const { diff, config, rules, delivery } = results(
      { hostname: 'n1', k3os: { k3sArgs: ['server', '--no-deploy', 'traefik'], token: 'K10a::b' } },
      null,
    )
    expect(diff).toBe('')
    expect(config).toEqual({
      hostname: 'n1',
      k3os: { k3sArgs: ['server', '--no-deploy', 'traefik'], token: 'K10a::b', install: {} },
    })
    expect(rules).toEqual(['TRN-MAINTAINED-IMAGE'])
    expect(delivery).toEqual({ kind: 'none', reason: 'the maintained image does not exist yet' })
  })

  it.each([
    ['with the k3s of the node', translator],
    ['with the newest k3s', newest],
  ])('but for what findings say, for every case there is, %s', (_, target) => {
    const wrong = everyConfiguration().flatMap(([name, node]) =>
      unexplained(node, target).map((gap) => `${name}: ${gap}`),
    )
    expect(wrong).toEqual([])
  })

  it.each([
    ['with the k3s of the node', translator],
    ['with the newest k3s', newest],
  ])('but for what findings say, for any sources, %s', { timeout: 900_000 }, (_, target) => {
    fc.assert(
      fc.property(configSources, (sources) => {
        const reading = readConfig(sources)
        fc.pre(reading.status === 'merged')
        const node = { name: 'n', reading, bundle: null, facts: null, nodeObject: null, nonce: null }
        expect(unexplained(node, target)).toEqual([])
      }),
      { numRuns: long ? 20_000 : 200 },
    )
  })
})

describe('corrections', () => {
  test('of arguments, with the differences as a patch', () => {
    const { config, diff, rules, trace } = results(
      {
        k3os: {
          k3sArgs: [
            'server',
            '--no-deploy',
            'traefik',
            '--kubelet-arg=network-plugin=cni',
            '--node-ip=10.0.0.5',
          ],
        },
      },
      'v1.31.5+k3s1',
    )
    expect(config.k3os.k3sArgs).toEqual(['server', '--disable', 'traefik', '--node-ip=10.0.0.5'])
    expect(diff).toBe(`--- a/config.yaml
+++ b/config.yaml
@@ -1,7 +1,6 @@
 k3os:
   k3s_args:
     - server
-    - --no-deploy
+    - --disable
     - traefik
-    - --kubelet-arg=network-plugin=cni
     - --node-ip=10.0.0.5
`)
    expect(rules).toEqual([
      'TRN-MAINTAINED-IMAGE',
      'TRN-MAINTAINED-K3S-NEWER',
      'TRN-MAINTAINED-CHANGED k3os.k3sArgs[1]',
      'TRN-MAINTAINED-REMOVED k3os.k3sArgs[3]',
    ])
    expect(trace.map(({ from, to }) => `${from} ${to.path}`)).toEqual([
      'k3os.k3sArgs[0] k3os.k3s_args[0]',
      'k3os.k3sArgs[1] k3os.k3s_args[1]',
      'k3os.k3sArgs[2] k3os.k3s_args[2]',
      'k3os.k3sArgs[4] k3os.k3s_args[3]',
    ])
  })

  test('of what the kernel no longer has', () => {
    const { config, rules } = results(
      {
        k3os: {
          modules: ['aufs', 'nf_conntrack_ipv4 hashsize=1', 'kvm'],
          sysctls: { 'net/ipv4/tcp_tw_recycle': '1', 'vm.swappiness': '10' },
        },
      },
      null,
    )
    expect(config.k3os.modules).toEqual(['nf_conntrack hashsize=1', 'kvm'])
    expect(config.k3os.sysctls).toEqual({ 'vm.swappiness': '10' })
    expect(rules).toEqual([
      'TRN-MAINTAINED-IMAGE',
      'TRN-MAINTAINED-MODULE k3os.modules[0]',
      'TRN-MAINTAINED-MODULE k3os.modules[1]',
      'TRN-MAINTAINED-SYSCTL k3os.sysctls["net/ipv4/tcp_tw_recycle"]',
    ])
  })

  test('of a configuration file of k3s, with its comments, and of no other file', () => {
    const packed = { encoding: 'b64', owner: '', permissions: '' }
    const { config, rules } = results(
      {
        writeFiles: [
          { ...packed, path: '/etc/motd', content: 'bm8tZGVwbG95' },
          {
            ...packed,
            encoding: '',
            path: '/etc/rancher/k3s/config.yaml',
            content:
              '# ours\nno-deploy: [traefik, servicelb]\nkubelet-arg:\n  - max-pods=200 # many\n  - network-plugin=cni\nnode-ip: 10.0.0.5\n',
          },
        ],
        k3os: {},
      },
      'v1.31.5+k3s1',
    )
    expect(config.writeFiles?.[0]?.content).toBe('bm8tZGVwbG95')
    expect(config.writeFiles?.[1]?.content).toBe(
      '# ours\ndisable: [ traefik, servicelb ]\nkubelet-arg:\n  - max-pods=200 # many\nnode-ip: 10.0.0.5\n',
    )
    expect(rules.filter((rule) => rule.includes('writeFiles'))).toEqual([
      'TRN-MAINTAINED-CHANGED writeFiles[1].content',
      'TRN-MAINTAINED-CHANGED writeFiles[1].content',
      'TRN-MAINTAINED-REMOVED writeFiles[1].content',
    ])
  })

  test('of the variable of a token', () => {
    const { config } = results({ k3os: { environment: { K3S_CLUSTER_SECRET: 's' } } }, 'v1.31.5+k3s1')
    expect(config.k3os.environment).toEqual({ K3S_TOKEN: 's' })
  })

  test('never name a secret', () => {
    const secret = 'CANARY4711'
    const { findings } = results(
      {
        writeFiles: [
          {
            encoding: '',
            owner: '',
            permissions: '',
            path: '/etc/rancher/k3s/config.yaml',
            content: `cluster-secret: ${secret}\n`,
          },
        ],
        k3os: {
          token: secret,
          k3sArgs: ['server', `--cluster-secret=${secret}`, '--storage-endpoint', secret],
          environment: { K3S_CLUSTER_SECRET: secret },
        },
      },
      'v1.31.5+k3s1',
    )
    expect(JSON.stringify(findings)).not.toContain(secret)
    expect(findings.length).toBeGreaterThan(4)
  })
})

describe('what is carried and will not do the same', () => {
  test('is named', () => {
    const file = { encoding: '', owner: '', permissions: '' }
    const { rules, diff } = results(
      {
        writeFiles: [
          { ...file, path: '/etc/init.d/own', content: '#!/sbin/openrc-run\n' },
          {
            ...file,
            path: '/var/lib/rancher/k3s/server/manifests/own.yaml',
            content: 'apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: x}\n',
          },
        ],
        runCmd: ['rc-service sshd restart', 'connmanctl services'],
        k3os: { token: 'short', k3sArgs: ['server', '--flannel-backend=ipsec', '--nonsense'] },
      },
      'v1.31.5+k3s1',
    )
    expect(diff).toBe('')
    expect(rules).toEqual([
      'TRN-MAINTAINED-API writeFiles[1]',
      'TRN-MAINTAINED-IMAGE',
      'TRN-MAINTAINED-K3S-NEWER',
      'TRN-MAINTAINED-OPENRC writeFiles[0]',
      'TRN-MAINTAINED-REFUSED k3os.k3sArgs[1]',
      'TRN-MAINTAINED-REFUSED k3os.k3sArgs[2]',
      'TRN-MAINTAINED-TOKEN k3os.token',
      'TRN-MAINTAINED-TOOL runCmd[0]',
    ])
  })

  test('stops where k3s would become older', () => {
    expect(results({ k3os: {} }, 'v1.20.15+k3s1').rules).toEqual([
      'TRN-MAINTAINED-K3S-OLDER',
      'TRN-MAINTAINED-IMAGE',
    ])
  })
})
