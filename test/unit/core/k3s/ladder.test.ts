import { describe, expect, test } from 'vitest'
import { breaksOf, breaksOfVariable, endingApis, minorOf } from '../../../../src/core/k3s/ladder.ts'

const breaks = (...words: string[]) =>
  breaksOf(['server', ...words]).map(({ what, from, to, instead }) => [what, from, to, instead])

describe('what of a command line breaks', () => {
  test('flags of k3s', () => {
    expect(breaks('--no-deploy', 'traefik', '--disable', 'servicelb')).toEqual([
      ['--no-deploy', 25, 25, '--disable'],
    ])
  })

  test('values of flags of k3s', () => {
    expect(breaks('--flannel-backend', 'wireguard')).toEqual([
      [
        '--flannel-backend=wireguard',
        26,
        26,
        'wireguard-native, on all nodes at once: the two do not talk to each other',
      ],
    ])
    expect(breaks('--flannel-backend=wireguard-native')).toEqual([])
  })

  test('flags without a row of their own, by the version that lacks them', () => {
    expect(breaks('--multi-cluster-cidr')).toEqual([['--multi-cluster-cidr', 30, 30, null]])
  })

  test('flags of components, in both ways of writing them', () => {
    expect(breaks('--kubelet-arg=network-plugin=cni', '--kubelet-arg', '--docker-endpoint=x')).toEqual([
      ['kubelet-arg network-plugin', 24, 24, 'set CNI paths in the containerd config template'],
      ['kubelet-arg docker-endpoint', 24, 24, 'k3s flag docker starts cri-dockerd'],
    ])
  })

  test('only of the component that had the flag', () => {
    expect(breaks('--kube-proxy-arg', 'network-plugin=cni')).toEqual([])
  })

  test('of all components', () => {
    expect(breaks('--kube-scheduler-arg', 'logtostderr=true')).toEqual([
      ['kube-scheduler-arg logtostderr', 26, 26, 'v, vmodule, logging-format'],
    ])
  })

  test('minors that are known roughly are a span', () => {
    expect(breaks('--kubelet-arg', 'chaos-chance=0')).toEqual([['kubelet-arg chaos-chance', 22, 24, null]])
  })

  test('values that a flag no longer takes', () => {
    const plugins = 'enable-admission-plugins=NodeRestriction,PodSecurityPolicy'
    expect(breaks('--kube-apiserver-arg', plugins)).toEqual([
      [
        'kube-apiserver-arg enable-admission-plugins=PodSecurityPolicy',
        25,
        25,
        'Pod Security admission (on by default)',
      ],
    ])
  })

  test('a gate breaks where it is gone, or where its value is fixed to another one', () => {
    expect(breaks('--kubelet-arg', 'feature-gates=APIListChunking=true')).toEqual([
      ['feature gate APIListChunking=true', 33, 33, null],
    ])
    expect(breaks('--kubelet-arg', 'feature-gates=APIListChunking=false,NoSuchGate=true')).toEqual([
      ['feature gate APIListChunking=false', 29, 29, null],
    ])
  })

  test('a gate fixed to a value that the table does not name breaks somewhere up to its end', () => {
    expect(breaks('--kubelet-arg', 'feature-gates=CSIMigration=false')).toEqual([
      ['feature gate CSIMigration=false', 25, 27, null],
    ])
    expect(breaks('--kubelet-arg', 'feature-gates=CSIMigration=true')).toEqual([
      ['feature gate CSIMigration=true', 27, 27, null],
    ])
  })

  test('the same thing given twice counts once', () => {
    const arg = ['--kubelet-arg', 'cni-bin-dir=/a']
    expect(breaks(...arg, ...arg)).toHaveLength(1)
  })

  test('nothing of a plain command line', () => {
    expect(breaks('--disable', 'traefik', '--kubelet-arg', 'max-pods=200')).toEqual([])
  })
})

describe('a variable that k3s reads in place of a flag', () => {
  test('ends with its flag', () => {
    expect(breaksOfVariable('K3S_CLUSTER_SECRET')).toMatchObject([
      { what: 'K3S_CLUSTER_SECRET', from: 25, instead: '--token' },
    ])
  })

  test('is nothing when the flag stays, or there is none', () => {
    expect(['K3S_TOKEN', 'NO_SUCH'].flatMap(breaksOfVariable)).toEqual([])
  })
})

describe('APIs that end', () => {
  test('are those served now and gone at a later minor', () => {
    const served = { policy: ['v1', 'v1beta1'], apps: ['v1'], batch: ['v1'] }
    expect(endingApis(served, 21)).toMatchObject([
      { version: 'policy/v1beta1', minor: 25, kinds: ['Eviction', 'PodDisruptionBudget'] },
      { version: 'policy/v1beta1', minor: 25, kinds: ['PodSecurityPolicy'] },
    ])
    expect(endingApis(served, 25)).toEqual([])
  })

  test('leave out kinds that came to the same group and version later', () => {
    const ends = endingApis({ 'networking.k8s.io': ['v1beta1'] }, 21)
    expect(ends.map(({ minor }) => minor)).toEqual([22])
  })
})

test.each([
  ['v1.21.5+k3s2', 21],
  ['1.17.0', 17],
  ['v2.0.0', null],
  ['', null],
])('the minor of %s', (version, minor) => {
  expect(minorOf(version)).toBe(minor)
})
