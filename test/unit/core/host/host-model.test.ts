import { describe, expect, it } from 'vitest'
import { hostModel, type HostSource } from '../../../../src/core/host/host-model.ts'
import type { KubeNode, NodeFacts } from '../../../../src/core/inventory.ts'
import type { K3osConfig } from '../../../../src/core/k3os/config.ts'
import { effects } from '../../../../src/core/k3os/effects.ts'
import { factsWith, nodeObjectWith } from '../../../support/golden-node.ts'

function host(
  config: K3osConfig,
  more: {
    facts?: Partial<NodeFacts>
    nodeObject?: Partial<KubeNode>
    secrets?: Partial<NonNullable<HostSource['secrets']>>
    mode?: string
  } = {},
) {
  const context = { mode: more.mode ?? 'local', k3osVersion: 'v0.21.5-k3s2r1', hasK3s: true }
  const noSecrets = {
    nodePassword: null,
    sshHostKeys: [],
    registriesYaml: null,
    authorizedKeys: null,
    token: null,
    failures: [],
  }
  const model = hostModel({
    node: 'n1',
    config,
    boot: effects(config, { ...context, phase: 'boot' }),
    runtime: effects(config, { ...context, phase: 'runtime' }),
    facts: more.facts === undefined ? null : factsWith(more.facts),
    secrets: more.secrets === undefined ? null : { ...noSecrets, ...more.secrets },
    nodeObject: more.nodeObject === undefined ? null : nodeObjectWith(more.nodeObject),
  })
  const settings = Object.fromEntries(model.k3s.settings.map(({ key, value }) => [key, value]))
  const said = model.findings.map((found) => `${found.rule} ${found.location?.path ?? ''}`.trim())
  return { ...model, settings, said }
}

const k3s = (version: string): Partial<NodeFacts> => ({
  k3s: { version, role: 'server', datastore: 'sqlite', hasNodePassword: true },
})
const file = (path: string, content: string) => ({ encoding: '', content, owner: '', path, permissions: '' })

describe('the name', () => {
  it('is the live one where the configured one differs', () => {
    const { hostname, said } = host({ hostname: 'n1', k3os: {} }, { facts: { hostname: 'from-dhcp' } })
    expect(hostname).toEqual({ value: 'from-dhcp', from: ['hostname'] })
    expect(said).toContain('TRN-HOSTNAME-LIVE hostname')
  })

  it('is the one the node made up when none is configured', () => {
    expect(host({ k3os: {} }, { facts: { hostname: 'k3os-1234' } }).hostname).toEqual({
      value: 'k3os-1234',
      from: [],
    })
  })

  it('is missing, and said to be, when nothing is known', () => {
    const { hostname, said } = host({ k3os: {} })
    expect(hostname).toBeNull()
    expect(said).toContain('TRN-HOSTNAME-UNKNOWN')
  })

  it.each([
    [{}, 'other', 'other'],
    [{}, 'n1', undefined],
    [{ k3sArgs: ['server', '--node-name=own'] }, 'other', 'own'],
    [{ k3sArgs: ['server', '--with-node-id'] }, 'n1-abcdef01', undefined],
    [{ environment: { K3S_NODE_NAME: 'own' } }, 'own', undefined],
  ])('with %j and the Node object %s, node-name is %s', (k3os, name, expected) => {
    const { settings } = host({ hostname: 'N1', k3os }, { nodeObject: { name } })
    expect(settings['node-name']).toBe(expected)
  })
})

describe('keys', () => {
  it('are those of the configuration and those on the node, each once', () => {
    const { user, said } = host(
      { sshAuthorizedKeys: ['ssh-rsa A me', 'github:me'], k3os: {} },
      { secrets: { authorizedKeys: 'ssh-rsa A me\n\n# old\nssh-rsa B old\n' } },
    )
    expect(user.authorizedKeys).toEqual([
      { value: 'ssh-rsa A me', from: ['sshAuthorizedKeys[0]'] },
      { value: 'ssh-rsa B old', from: [] },
    ])
    expect(user.keySources).toEqual([])
    expect(said).toContain('TRN-KEY-SOURCE-KNOWN sshAuthorizedKeys[1]')
  })

  it('to be fetched are named with their address', () => {
    const { user, said } = host({ sshAuthorizedKeys: ['github:me'], k3os: {} })
    expect(user.keySources).toMatchObject([{ value: 'github:me', url: 'https://github.com/me.keys' }])
    expect(said).toContain('TRN-KEY-SOURCE sshAuthorizedKeys[0]')
  })
})

describe('kernel settings', () => {
  it('are those of k3OS, then the configured ones, which win', () => {
    const { sysctls } = host({ k3os: { sysctls: { 'net.core.somaxconn': '4096' } } })
    expect(sysctls[0]).toMatchObject({ key: 'net.ipv4.ip_forward', value: '1', from: [] })
    expect(sysctls.filter((one) => one.key === 'net.core.somaxconn')).toEqual([
      {
        key: 'net.core.somaxconn',
        file: 'net/core/somaxconn',
        value: '4096',
        from: ['k3os.sysctls["net.core.somaxconn"]'],
      },
    ])
  })
})

describe('fallback servers', () => {
  it('are 8.8.8.8 by default', () => {
    expect(host({ k3os: {} }).fallbackNameservers).toEqual([{ value: '8.8.8.8', from: [] }])
  })

  it('are those of a main.conf in write_files, which k3OS writes last', () => {
    const main = file('/etc/connman/main.conf', '[General]\nFallbackNameservers=9.9.9.9,1.1.1.1\n')
    const { fallbackNameservers, said } = host({
      writeFiles: [main],
      k3os: { dnsNameservers: ['192.0.2.53'] },
    })
    expect(fallbackNameservers.map((server) => server.value)).toEqual(['9.9.9.9', '1.1.1.1'])
    expect(said).toContain('TRN-SKIPPED-BY-K3OS k3os.dnsNameservers[0]')
  })
})

describe('files', () => {
  it('written twice: the last entry counts', () => {
    const { files, said } = host({ writeFiles: [file('/etc/a', '1'), file('/etc/a', '2')], k3os: {} })
    expect(files.map(({ content }) => new TextDecoder().decode(content))).toEqual(['2'])
    expect(said).toContain('TRN-SKIPPED-BY-K3OS writeFiles[0]')
  })
})

describe('k3s', () => {
  it('is a server without labels of k3OS by default', () => {
    const model = host({ k3os: {} }, { facts: k3s('v1.21.5+k3s2') })
    expect(model.k3s).toMatchObject({
      role: 'server',
      version: 'v1.21.5+k3s2',
      configFileSupported: true,
      needsCgroupV1: false,
    })
    expect(model.settings).toEqual({})
    expect(model.k3s.environment).toEqual([{ name: 'K3S_KUBECONFIG_MODE', value: '0644', from: [] }])
  })

  it('of a live installer does not exist', () => {
    const { k3s: none, said } = host({ k3os: { token: 'secret' } }, { mode: 'install' })
    expect(none.role).toBe('none')
    expect(said).toContain('TRN-SKIPPED-BY-K3OS k3os.token')
  })

  it.each([
    ['v1.17.4+k3s1', false, true],
    ['v1.19.1+k3s1', true, true],
    ['v1.20.3+k3s1', true, true],
    ['v1.20.4+k3s1', true, false],
    ['v1.22.2+k3s2', true, false],
  ])('%s: configuration file %s, cgroup v1 %s', (version, configFileSupported, needsCgroupV1) => {
    expect(host({ k3os: {} }, { facts: k3s(version) }).k3s).toMatchObject({
      configFileSupported,
      needsCgroupV1,
    })
  })

  it('takes the token from where k3OS does, and calls it a token', () => {
    const { k3s: model } = host({ k3os: { token: 'short', serverUrl: 'https://a:6443' } })
    expect(model).toMatchObject({
      role: 'agent',
      token: { value: 'short', from: ['k3os.token'] },
      serverUrl: { value: 'https://a:6443', from: ['k3os.serverUrl'] },
    })
  })

  it.each([
    [{ environment: { K3S_CLUSTER_SECRET: 'x' } }, 'x', ['k3os.environment.K3S_CLUSTER_SECRET']],
    [{ k3sArgs: ['server', '--cluster-secret=x'] }, 'x', ['k3os.k3sArgs[1]']],
    [
      { k3sArgs: ['server', '-t', 'x'], token: 'y' },
      'x',
      ['k3os.k3sArgs[1]', 'k3os.k3sArgs[2]', 'k3os.token'],
    ],
  ])('finds the token of %j', (k3os, value, from) => {
    expect(host({ k3os }).k3s.token).toEqual({ value, from })
  })

  it('takes the token of a configuration file before the one of the environment, as k3s does', () => {
    const config = file('/etc/rancher/k3s/config.yaml', 'token: mine\nserver: https://b:6443\n')
    const { k3s: model, settings } = host({
      writeFiles: [config],
      k3os: { token: 'y', serverUrl: 'https://a:6443' },
    })
    expect(model.token?.value).toBe('mine')
    expect(model.serverUrl?.value).toBe('https://b:6443')
    expect(settings).toEqual({})
  })

  it('puts the configured token beside a token file of the user into the environment', () => {
    const model = host({ k3os: { token: 'x', k3sArgs: ['server', '--token-file=/etc/t'] } })
    expect(model.settings['token-file']).toBe('/etc/t')
    expect(model.k3s.environment).toContainEqual({ name: 'K3S_TOKEN', value: 'x', from: ['k3os.token'] })
  })

  it('says that an agent has no token', () => {
    expect(host({ k3os: { serverUrl: 'https://a:6443' } }).said).toContain('TRN-TOKEN-MISSING')
  })

  it('gathers labels of arguments and configuration, without those of k3OS', () => {
    const { settings, said } = host({
      k3os: { k3sArgs: ['server', '--node-label', 'own=1'], labels: { zone: 'b', 'k3os.io/mode': 'mine' } },
    })
    expect(settings['node-label']).toEqual(['own=1', 'zone=b'])
    expect(said).toContain('TRN-K3OS-LABEL k3os.labels["k3os.io/mode"]')
  })

  it('refuses a flag of the other role and one that swallows what k3OS appends', () => {
    const { settings, said } = host({
      k3os: {
        serverUrl: 'https://a:6443',
        token: 'x',
        k3sArgs: ['--disable=traefik', '--node-ip'],
        labels: { a: 'b' },
      },
    })
    expect(settings).toEqual({ 'node-ip': ['--node-label'] })
    expect(said).toContain('TRN-K3S-FLAG-REFUSED k3os.k3sArgs[0]')
    expect(said).toContain('TRN-K3S-ARGUMENT-IGNORED k3os.labels.a')
  })

  it('keeps the last of a flag that could not be repeated in that version', () => {
    const k3sArgs = ['server', '--cluster-cidr=10.1.0.0/16', '--cluster-cidr=10.2.0.0/16']
    expect(host({ k3os: { k3sArgs } }, { facts: k3s('v1.20.4+k3s1') }).settings['cluster-cidr']).toBe(
      '10.2.0.0/16',
    )
    expect(host({ k3os: { k3sArgs } }, { facts: k3s('v1.22.2+k3s2') }).settings['cluster-cidr']).toEqual([
      '10.1.0.0/16',
      '10.2.0.0/16',
    ])
  })
})

describe('taints', () => {
  const k3os = { taints: ['a=b:NoSchedule', 'c=:NoExecute', 'd:NoSchedule,e=f:NoSchedule'] }

  it('are the last one when the Node object is not known', () => {
    const { settings, said } = host({ k3os })
    expect(settings['node-taint']).toEqual(['d:NoSchedule', 'e=f:NoSchedule'])
    expect(said).toContain('TRN-TAINT-NOT-REGISTERED k3os.taints[0]')
    expect(said).toContain('TRN-TAINT-NOT-REGISTERED k3os.taints[1]')
  })

  it('are those the Node object has', () => {
    const taints = [
      { key: 'c', value: '', effect: 'NoExecute' },
      { key: 'e', value: 'f', effect: 'NoSchedule' },
    ]
    const { settings, said } = host({ k3os }, { nodeObject: { name: 'n1', taints } })
    expect(settings['node-taint']).toEqual(['c=:NoExecute', 'e=f:NoSchedule'])
    expect(said.filter((text) => text.startsWith('TRN-TAINT'))).toEqual([
      'TRN-TAINT-NOT-REGISTERED k3os.taints[0]',
      'TRN-TAINT-NOT-REGISTERED k3os.taints[2]',
    ])
  })
})

describe('variables', () => {
  it('of a file come first, those of the configuration win', () => {
    const { environment, said } = host({
      writeFiles: [file('/etc/environment', "A=1\nexport B='two words'\numask 022\n")],
      k3os: { environment: { A: '3', C: '$x' } },
    })
    expect(environment.map(({ name, value }) => `${name}=${value}`)).toEqual(['A=3', 'B=two words', 'C=$x'])
    expect(said).toContain('TRN-ENVIRONMENT-FILE writeFiles[0]')
    expect(said).toContain('TRN-ENVIRONMENT-EXPANDED k3os.environment.C')
  })
})
