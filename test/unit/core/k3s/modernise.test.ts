import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findFlag } from '../../../../src/core/k3s/flags.ts'
import { breaksOf } from '../../../../src/core/k3s/ladder.ts'
import { doubtfulParts, modernise, refusedValue } from '../../../../src/core/k3s/modernise.ts'

function flagOf(name: string) {
  const flag = findFlag(name)
  if (flag === undefined) throw new Error(`no flag ${name}`)
  return flag
}

const at = (version: string, name: string, value: string | boolean, role: 'server' | 'agent' = 'server') =>
  modernise(flagOf(name), value, { version, role })

const becomes = (version: string, name: string, value: string | boolean, role?: 'server' | 'agent') =>
  at(version, name, value, role)?.becomes.map((one) => `${one.name}=${one.value}`) ?? 'as it is'

describe('flags of k3s', () => {
  test.each<[string, string | boolean, string, unknown]>([
    ['no-deploy', 'traefik', 'v1.24.17+k3s1', 'as it is'],
    ['no-deploy', 'traefik', 'v1.25.0+k3s1', ['disable=traefik']],
    ['cluster-secret', 's', 'v1.31.5+k3s1', ['token=s']],
    ['no-flannel', true, 'v1.31.5+k3s1', ['flannel-backend=none']],
    ['no-flannel', false, 'v1.31.5+k3s1', []],
    ['disable-selinux', true, 'v1.31.5+k3s1', ['selinux=false']],
    ['flannel-backend', 'wireguard', 'v1.25.3+k3s1', 'as it is'],
    ['flannel-backend', 'wireguard', 'v1.26.0+k3s1', ['flannel-backend=wireguard-native']],
    ['multi-cluster-cidr', true, 'v1.31.5+k3s1', []],
    ['disable', 'traefik', 'v1.31.5+k3s1', 'as it is'],
  ])('%s %s on %s', (name, value, version, expected) => {
    expect(becomes(version, name, value)).toEqual(expected)
  })

  test('an agent has no backend of its own to choose', () => {
    expect(becomes('v1.31.5+k3s1', 'no-flannel', true, 'agent')).toEqual([])
  })

  test('values that nothing takes the place of by itself are named', () => {
    expect(refusedValue(flagOf('flannel-backend'), 'ipsec', 'v1.27.1+k3s1')).toContain('wireguard-native')
    expect(refusedValue(flagOf('flannel-backend'), 'ipsec', 'v1.26.1+k3s1')).toBeNull()
  })
})

describe('arguments that k3s hands on', () => {
  test.each<[string, string, string, unknown]>([
    ['kubelet-arg', 'network-plugin=cni', 'v1.23.3+k3s1', 'as it is'],
    ['kubelet-arg', 'network-plugin=cni', 'v1.24.0+k3s1', []],
    ['kubelet-arg', '--network-plugin=cni', 'v1.24.0+k3s1', []],
    ['kubelet-arg', 'max-pods=200', 'v1.31.5+k3s1', 'as it is'],
    ['kubelet-arg', 'pod-infra-container-image=p:1', 'v1.35.0+k3s1', ['pause-image=p:1']],
    [
      'kube-apiserver-arg',
      'enable-admission-plugins=NodeRestriction,PodSecurityPolicy',
      'v1.25.0+k3s1',
      ['kube-apiserver-arg=enable-admission-plugins=NodeRestriction'],
    ],
    ['kube-apiserver-arg', 'enable-admission-plugins=PodSecurityPolicy', 'v1.25.0+k3s1', []],
    [
      'kube-apiserver-arg',
      'feature-gates=APIListChunking=true,Mine=true',
      'v1.33.0+k3s1',
      ['kube-apiserver-arg=feature-gates=Mine=true'],
    ],
    [
      'kube-apiserver-arg',
      'service-account-api-audiences=a,b',
      'v1.25.0+k3s1',
      ['kube-apiserver-arg=api-audiences=a,b'],
    ],
  ])('%s %s on %s', (name, value, version, expected) => {
    expect(becomes(version, name, value)).toEqual(expected)
  })

  test('what may be gone is left alone, and named', () => {
    expect(at('v1.23.0+k3s1', 'kubelet-arg', 'chaos-chance=0')).toBeNull()
    expect(doubtfulParts(flagOf('kubelet-arg'), 'chaos-chance=0', 'v1.23.0+k3s1')).toEqual([
      'kubelet-arg chaos-chance',
    ])
  })
})

test('what comes out does not break at that version any more', () => {
  const argument = fc.tuple(
    fc.constantFrom('kubelet-arg', 'kube-apiserver-arg', 'kube-controller-manager-arg', 'kube-scheduler-arg'),
    fc.constantFrom(
      'network-plugin=cni',
      'logtostderr=true',
      'port=0',
      'enable-admission-plugins=PodSecurityPolicy,SecurityContextDeny,X',
      'feature-gates=CSIMigration=false,APIListChunking=true,Mine=true',
      'pod-infra-container-image=x',
      'horizontal-pod-autoscaler-downscale-delay=5m',
      'v=2',
    ),
  )
  fc.assert(
    fc.property(argument, fc.integer({ min: 17, max: 37 }), ([name, value], minor) => {
      const answer = at(`v1.${minor}.1+k3s1`, name, value)
      const words = (answer?.becomes ?? [{ name, value }]).map((one) => `--${one.name}=${one.value}`)
      expect(breaksOf(['server', ...words]).filter(({ to }) => to <= minor)).toEqual([])
    }),
  )
})
