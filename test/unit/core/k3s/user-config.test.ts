import { describe, expect, it } from 'vitest'
import { readUserConfig } from '../../../../src/core/k3s/user-config.ts'

describe('readUserConfig', () => {
  it('keeps numbers as written, lists as lists, and drops the plus sign', () => {
    const read = readUserConfig(
      'disable+: [traefik]\nhttps-listen-port: 06443\ncluster-init: yes\nt: abc\n',
      'server',
      null,
    )
    expect(read).toEqual({
      settings: [
        { key: 'disable', value: ['traefik'] },
        { key: 'https-listen-port', value: '06443' },
        { key: 'cluster-init', value: true },
        { key: 'token', value: 'abc' },
      ],
      refused: [],
    })
  })

  it('refuses what the role does not take, and nested values', () => {
    const read = readUserConfig('disable: traefik\nnode-label: {a: b}\nnope: 1\n', 'agent', 'v1.22.2+k3s2')
    expect(read).toEqual({
      settings: [],
      refused: [
        { key: 'disable', reason: 'a flag of servers only' },
        { key: 'node-label', reason: 'k3s takes no nested values' },
        { key: 'nope', reason: 'no flag of k3s has this name' },
      ],
    })
  })

  it.each(['- a\n', 'a: [\n'])('says why %j is no configuration', (text) => {
    expect(readUserConfig(text, 'server', null)).toMatch(/^it is no /)
  })

  it('takes an empty file for no settings', () => {
    expect(readUserConfig('# nothing\n', 'server', null)).toEqual({ settings: [], refused: [] })
  })
})
