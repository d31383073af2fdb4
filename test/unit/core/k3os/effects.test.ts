import { describe, expect, test } from 'vitest'
import type { K3osConfig } from '../../../../src/core/k3os/config.ts'
import { effects, type Effect, type EffectsContext, type Phase } from '../../../../src/core/k3os/effects.ts'
import { printEffects } from '../../../../src/core/k3os/print-effects.ts'
import { leaves } from '../../../../src/core/path.ts'

const context: Omit<EffectsContext, 'phase'> = { mode: 'disk', k3osVersion: 'v0.21.5-k3s2r1', hasK3s: true }
const file = { encoding: '', content: 'x', owner: '', path: '/etc/a', permissions: '' }
const everything: K3osConfig = {
  hostname: 'owl',
  sshAuthorizedKeys: ['ssh-rsa A', 'github:owl'],
  writeFiles: [file],
  initCmd: ['i'],
  bootCmd: ['b'],
  runCmd: ['r'],
  k3os: {
    dataSources: ['aws'],
    modules: ['tun'],
    sysctls: { 'vm.x': '1' },
    ntpServers: ['n'],
    dnsNameservers: ['d'],
    wifi: [{ name: 'w', passphrase: 'p' }, {}],
    password: 'pw',
    serverUrl: 'https://s:6443',
    token: 'tok',
    labels: { 'a.b/c': 'd' },
    k3sArgs: ['agent'],
    environment: { A: 'b' },
    taints: ['a=b:NoSchedule'],
    install: { device: '/dev/sda' },
  },
}

function kinds(phase: Phase, changes: Partial<EffectsContext> = {}): Effect['kind'][] {
  return effects(everything, { ...context, phase, ...changes }).map(({ kind }) => kind)
}

describe('effects', () => {
  test('account for every leaf of the configuration in one phase or another', () => {
    const phases = (['initrd', 'boot', 'runtime', 'install'] as const).flatMap((phase) => [
      ...effects(everything, { ...context, phase }),
      ...effects(everything, { ...context, phase, mode: 'install' }),
    ])
    const named = new Set(phases.flatMap(({ from }) => from))
    expect([...named].toSorted()).toEqual(
      leaves(everything)
        .map(([path]) => path)
        .toSorted(),
    )
  })

  test('come in the order in which k3OS acts', () => {
    expect(kinds('initrd')).toEqual(['module', 'sysctl', 'hostname', 'file', 'environment', 'command'])
    expect(kinds('boot')).toEqual([
      'data-sources',
      'module',
      'sysctl',
      'hostname',
      'fallback-servers',
      'wifi',
      'password',
      'ssh-key',
      'k3s',
      'file',
      'environment',
      'command',
    ])
    expect(kinds('runtime').slice(-3)).toEqual(['environment', 'command', 'k3s'])
    expect(kinds('install')).toEqual(['k3s'])
  })

  test('of the installer mode leave k3s alone', () => {
    expect(kinds('runtime', { mode: 'install' })).toContain('installer')
    expect(kinds('runtime', { mode: 'install' })).not.toContain('k3s')
  })

  test('fetch keys only when there is a network', () => {
    const urls = (phase: Phase): unknown[] =>
      effects(everything, { ...context, phase }).flatMap((effect) =>
        effect.kind === 'ssh-key' ? [effect.url] : [],
      )
    expect(urls('boot')).toEqual([null])
    expect(urls('runtime')).toEqual([null, 'https://github.com/owl.keys'])
  })

  test('give k3s a token of either form under the name k3OS gives it', () => {
    const variables = (token: string): Record<string, string> => {
      const [effect] = effects({ k3os: { token } }, { ...context, phase: 'install' })
      return effect?.kind === 'k3s' ? effect.environment : {}
    }
    expect(variables('K10abc::server:d')).toMatchObject({ K3S_TOKEN: 'K10abc::server:d' })
    expect(variables('short')).toMatchObject({ K3S_CLUSTER_SECRET: 'short' })
    expect(variables('short')).not.toHaveProperty('K3S_TOKEN')
  })
})

describe('printed effects', () => {
  const mask = (secret: string): string => `<${secret.length}>`
  const print = (config: K3osConfig, phase: Phase): string =>
    JSON.stringify(printEffects(effects(config, { ...context, phase }), config, mask))

  test('hide every secret, also content that is encoded in the configuration', () => {
    const config: K3osConfig = {
      writeFiles: [{ ...file, content: Buffer.from('very hidden').toString('base64'), encoding: 'b64' }],
      runCmd: ['K3S_TOKEN=canary k3s agent'],
      k3os: {
        token: 'canary',
        password: 'canary',
        wifi: [{ passphrase: 'canary' }],
        k3sArgs: ['agent', '--token', 'canary'],
        environment: { MY_SECRET: 'canary', HTTP_PROXY: 'http://u:canary@p' },
      },
    }
    const said = print(config, 'runtime')
    expect(said).not.toContain('canary')
    expect(said).not.toContain('very hidden')
    expect(said).toContain('K3S_TOKEN=<6> k3s agent')
  })

  test('show everything without a mask', () => {
    const [printed] = printEffects(
      effects({ writeFiles: [file], k3os: {} }, { ...context, phase: 'initrd' }),
      everything,
      null,
    )
    expect(printed).toMatchObject({ kind: 'file', path: '/etc/a', mode: '0644', content: 'x' })
  })
})
