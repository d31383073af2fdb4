import { describe, expect, test } from 'vitest'
import { parseSshConfig, sshWay } from '../../../src/core/ssh-config.ts'

const config = parseSshConfig(
  `# general
IdentityFile ~/.ssh/work   # not a comment of ssh: kept out all the same
Host till-* !till-9
    HostName %h.shops.example
    User = admin
    Port 2222
    ProxyJump gate,inner:2200
Host "till-1"
    User nobody
    IdentityFile "~/keys/till 1"
HOST 10.0.?.5
    proxyjump none
    ProxyCommand none
Host far
    HostKeyAlias near
Match host far
    User x
Host *
    User rancher
    ProxyJump everywhere
Include more
`,
  'config',
)

describe('the way to a host', () => {
  test('the first value counts, keys add up', () => {
    expect(sshWay(config, 'till-1')).toEqual({
      hostName: 'till-1.shops.example',
      user: 'admin',
      port: 2222,
      identityFiles: ['~/.ssh/work', '~/keys/till 1'],
      jumps: ['gate', 'inner:2200'],
      unsupported: [],
    })
  })

  test.each([
    ['till-9', { user: 'rancher', hostName: undefined, jumps: ['everywhere'] }],
    ['10.0.7.5', { user: 'rancher', jumps: [], unsupported: [] }],
    ['10.0.77.5', { jumps: ['everywhere'] }],
    ['far', { user: 'rancher', unsupported: ['config:15: HostKeyAlias'] }],
    ['other', { port: undefined, user: 'rancher' }],
  ])('%s', (host, way) => {
    expect(sshWay(config, host)).toMatchObject(way)
  })

  test('without a file it is as given', () => {
    expect(sshWay(undefined, 'n1')).toMatchObject({ hostName: undefined, user: undefined, jumps: [] })
  })
})

test('what may change every host and is not understood is named', () => {
  expect(config.leftOut).toEqual(['config:16: Match', 'config:21: Include'])
})
