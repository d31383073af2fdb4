import { describe, expect, test } from 'vitest'
import type { Assessment } from '../../../../src/core/assessment.ts'
import type { ClusterFacts } from '../../../../src/core/inventory.ts'
import { readConfig } from '../../../../src/core/k3os/read.ts'
import { plainMachine } from '../../../support/inventory-parts.ts'
import { checkResult, cluster, inventory, look, machine, nodeFacts, of } from './builders.ts'

function started(words: string[] | null, changes: Partial<ClusterFacts> = {}): Assessment {
  const service = { ...plainMachine.service, arguments: words }
  return look(
    inventory(
      cluster(changes),
      ['s1', 'a1'].map((name) => machine(name, { service })),
    ),
  )
}

describe('PRE-LADDER-FLAG', () => {
  test('passes when no flag ends', () => {
    expect(checkResult(started(['server', '--disable', 'traefik']), 'PRE-LADDER-FLAG')).toBe('pass')
  })

  test('is one note for all nodes, with the minor', () => {
    const [f, ...more] = of(started(['server', '--no-deploy', 'traefik']), 'PRE-LADDER-FLAG')
    expect(more).toEqual([])
    expect(f).toMatchObject({
      key: 'PRE-LADDER-FLAG:Cluster:--no-deploy',
      severity: 'info',
      nodes: ['s1', 'a1'],
      summary: '--no-deploy (s1, a1) breaks from k3s v1.25 on',
    })
    expect(f?.remediations.at(-1)?.text).toBe(
      'sudo grep -rlF -e no-deploy /var/lib/rancher/k3os /k3os/system/config.yaml /etc/rancher/k3s',
    )
  })

  test('does not name a fleet node by node', () => {
    const service = { ...plainMachine.service, arguments: ['agent', '--no-flannel'] }
    const names = ['a1', 'a2', 'a3', 'a4', 'a5', 'a6']
    const document = inventory(
      cluster(),
      names.map((name) => machine(name, { service })),
    )
    const [f] = of(look(document), 'PRE-LADDER-FLAG')
    expect(f?.summary).toBe('--no-flannel (a1, a2, a3 and 3 more) breaks from k3s v1.25 on')
    expect(f?.nodes).toEqual(names)
  })

  test('is medium when the version that runs should not take it', () => {
    const words = ['server', '--kubelet-arg', 'bootstrap-checkpoint-path=/x']
    expect(of(started(words), 'PRE-LADDER-FLAG')[0]).toMatchObject({
      severity: 'medium',
      summary: 'kubelet-arg bootstrap-checkpoint-path (s1, a1) breaks from k3s v1.19 on',
    })
  })

  test('is an error where the command line was not read, and stops nothing', () => {
    const assessment = started(null)
    const results = ['PRE-FLAG-REFUSED', 'PRE-LADDER-FLAG', 'PRE-LADDER-GATE'].map((rule) =>
      checkResult(assessment, rule),
    )
    expect(results).toEqual(['error', 'error', 'error'])
    expect(assessment.summary.inhibitors).toBe(0)
  })
})

describe('PRE-LADDER-GATE', () => {
  const gates = (text: string) => started(['server', '--kubelet-arg', `feature-gates=${text}`])

  test('passes without gates that end', () => {
    expect(checkResult(gates('NoSuchGate=true'), 'PRE-LADDER-GATE')).toBe('pass')
  })

  test('names the gate and its minor', () => {
    expect(of(gates('APIListChunking=true'), 'PRE-LADDER-GATE')[0]?.summary).toBe(
      'feature gate APIListChunking=true (s1, a1) breaks from k3s v1.33 on',
    )
  })
})

describe('what the configuration of k3OS says', () => {
  const file = '/var/lib/rancher/k3os/config.yaml'
  const configured = (text: string, words: string[] | null = ['server'], version = 'v1.21.5+k3s2') => {
    const reading = readConfig({
      local: { file, bytes: new TextEncoder().encode(text) },
      configD: [],
    })
    const facts = {
      service: { ...plainMachine.service, arguments: words },
      k3s: { ...nodeFacts('s1').k3s, version },
    }
    return look(inventory(cluster(), [machine('s1', facts), machine('a1')]), {
      configs: new Map([['s1', reading]]),
    })
  }
  const ladder = (assessment: Assessment) =>
    ['PRE-LADDER-FLAG', 'PRE-LADDER-GATE'].flatMap((rule) => of(assessment, rule))

  test('is judged with the line of the value, also when k3s does not run with it yet', () => {
    const [f, ...more] = ladder(
      configured('k3os:\n  k3s_args:\n  - server\n  - "--no-deploy"\n  - traefik\n'),
    )
    expect(more).toEqual([])
    expect(f).toMatchObject({
      key: 'PRE-LADDER-FLAG:Cluster:--no-deploy',
      severity: 'info',
      nodes: ['s1'],
      location: { file, line: 4, path: 'k3os.k3sArgs[1]' },
    })
    expect(f?.diagnosis).toContain(`It stands in ${file}, line 4 (k3os.k3sArgs[1]), on s1.`)
  })

  test('is one finding with what the running k3s was started with', () => {
    const words = ['server', '--no-deploy', 'traefik']
    const assessment = configured('k3os:\n  k3s_args: [server, --no-deploy, traefik]\n', words)
    expect(ladder(assessment).map(({ nodes, location }) => [nodes, location?.line])).toEqual([[['s1'], 2]])
  })

  test('is enough when the service was not read', () => {
    const assessment = configured('k3os:\n  k3s_args: [server, --no-deploy, traefik]\n', null)
    expect(ladder(assessment)).toHaveLength(1)
    expect(checkResult(assessment, 'PRE-LADDER-FLAG')).toBe('fail')
  })

  const written = (path: string, content: string) =>
    `hostname: s1\nwrite_files:\n- path: ${path}\n  content: |\n${content.replaceAll(/^/gm, '    ')}\n`

  test('includes a configuration file of k3s, to its own line', () => {
    const content = 'disable: traefik\nkubelet-arg:\n- max-pods=200\n- network-plugin=cni'
    const [f, ...more] = ladder(configured(written('/etc/rancher/k3s/config.yaml', content)))
    expect(more).toEqual([])
    expect(f).toMatchObject({
      summary: 'kubelet-arg network-plugin (s1) breaks from k3s v1.24 on',
      location: { file, line: 8, path: 'writeFiles[0].content' },
    })
  })

  test('points at the whole file where its lines are not those of the configuration', () => {
    const text = 'write_files:\n- path: /etc/rancher/k3s/config.yaml\n  content: "a: b\\nno-flannel: true"\n'
    expect(ladder(configured(text))[0]?.location).toMatchObject({ file, line: 3, column: 12 })
  })

  test('includes drop-ins of that file, and the file that --config names', () => {
    const dropIn = configured(written('/etc/rancher/k3s/config.yaml.d/x.yaml', 'no-flannel: true'))
    const named = configured(
      `${written('/home/k3s.yaml', 'no-flannel: true')}k3os:\n  k3s_args: [server, -c, /home/k3s.yaml]\n`,
    )
    const variable = configured(
      `${written('/home/k3s.yaml', 'no-flannel: true')}k3os:\n  environment: {K3S_CONFIG_FILE: /home/k3s.yaml}\n`,
    )
    const other = configured(written('/home/k3s.yaml', 'no-flannel: true'))
    expect([dropIn, named, variable, other].map((one) => ladder(one).length)).toEqual([1, 1, 1, 0])
  })

  test('a file counts from the minor on that reads it', () => {
    const content =
      'kubelet-arg: enable-cadvisor-json-endpoints=true\nkube-apiserver-arg: enable-inflight-quota-handler=true'
    const assessment = configured(
      written('/etc/rancher/k3s/config.yaml', content),
      ['server'],
      'v1.18.9+k3s1',
    )
    expect(ladder(assessment).map(({ summary, severity }) => [summary, severity])).toEqual([
      ['kube-apiserver-arg enable-inflight-quota-handler (s1) breaks from k3s v1.19 on', 'info'],
      ['kubelet-arg enable-cadvisor-json-endpoints (s1) breaks from k3s v1.21 on', 'info'],
    ])
  })

  test('includes feature gates and taints', () => {
    const gates =
      'k3os:\n  k3s_args:\n  - server\n  - --kubelet-arg\n  - feature-gates=APIListChunking=true\n'
    expect(ladder(configured(`${gates}  taints: [a=b:NoSchedule]\n`))).toMatchObject([
      { rule: 'PRE-LADDER-GATE', location: { line: 5, path: 'k3os.k3sArgs[2]' } },
    ])
  })

  test('includes variables somebody wrote, and not the one k3OS makes of the token', () => {
    const assessment = configured(
      'k3os:\n  token: abc\n  environment:\n    K3S_CLUSTER_SECRET: secret-text\n',
    )
    expect(ladder(assessment)).toMatchObject([
      {
        summary: 'K3S_CLUSTER_SECRET (s1) breaks from k3s v1.25 on',
        location: { line: 4, path: 'k3os.environment.K3S_CLUSTER_SECRET' },
      },
    ])
    expect(JSON.stringify(assessment)).not.toContain('secret-text')
    expect(ladder(configured('k3os: {token: abc}\n'))).toEqual([])
  })

  test('names the places of different nodes', () => {
    const reading = (line: string) =>
      readConfig({
        local: {
          file,
          bytes: new TextEncoder().encode(`${line}k3os:\n  k3s_args: [agent, --no-flannel]\n`),
        },
        configD: [],
      })
    const document = inventory(
      cluster(),
      ['a1', 'a2', 'a3'].map((name) => machine(name)),
    )
    const [f] = of(
      look(document, {
        configs: new Map([
          ['a1', reading('')],
          ['a2', reading('\n')],
          ['a3', reading('')],
        ]),
      }),
      'PRE-LADDER-FLAG',
    )
    expect(f?.diagnosis).toContain(
      `It stands in ${file}, line 2 (k3os.k3sArgs[1]), on a1, a3; ${file}, line 3 (k3os.k3sArgs[1]), on a2.`,
    )
  })

  describe('PRE-FLAG-REFUSED', () => {
    const refused = (args: string, version?: string) =>
      of(configured(`k3os:\n  k3s_args: ${args}\n`, ['server'], version), 'PRE-FLAG-REFUSED').map(
        ({ summary, location }) => [summary, location?.line],
      )

    test('names a flag that no k3s has', () => {
      expect(refused('[server, --no-such=1]')).toEqual([
        ['--no-such (s1): k3s of this version stops at it: no flag of k3s has this name', 2],
      ])
    })

    test('names a flag that is newer than the k3s of the node', () => {
      expect(refused('[server, --supervisor-port=9345]')).toEqual([
        ['--supervisor-port (s1): k3s of this version stops at it: new in k3s v1.32.0', 2],
      ])
      expect(refused('[server, --supervisor-port=9345]', 'v1.32.1+k3s1')).toEqual([])
    })

    test('leaves flags that ended to the ladder, with the version that runs now', () => {
      const assessment = configured('k3os:\n  k3s_args: [server, --no-flannel]\n', ['server'], 'v1.26.1+k3s1')
      expect(of(assessment, 'PRE-FLAG-REFUSED')).toEqual([])
      expect(ladder(assessment)[0]?.severity).toBe('medium')
    })
  })
})

describe('PRE-LADDER-API', () => {
  test('passes when the cluster serves nothing that ends', () => {
    expect(checkResult(started([], { apiGroups: { apps: ['v1'] } }), 'PRE-LADDER-API')).toBe('pass')
  })

  test('names version, kinds, minor and what to use', () => {
    const apiGroups = { 'networking.k8s.io': ['v1', 'v1beta1'] }
    const [f, ...more] = of(started([], { apiGroups }), 'PRE-LADDER-API')
    expect(more).toEqual([])
    expect(f).toMatchObject({
      severity: 'info',
      summary:
        'networking.k8s.io/v1beta1 (Ingress, IngressClass) ends with k3s v1.22; use networking.k8s.io/v1',
    })
  })

  test('is skipped without the cluster', () => {
    expect(checkResult(look(inventory(null)), 'PRE-LADDER-API')).toBe('skip')
  })
})
