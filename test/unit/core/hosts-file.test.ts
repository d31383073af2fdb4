import { expect, test } from 'vitest'
import { parseHost, parseHostsFile } from '../../../src/core/hosts-file.ts'

test('hosts have names, ports and comments as the user likes', () => {
  const text =
    '# cluster\nn1=10.0.0.5\n10.0.0.6:2222   # the second\n\nn3=[fd00::5]:22\nfd00::6\nroot@node-4.lan:22\n'
  expect(parseHostsFile(text, 'hosts')).toEqual([
    { name: 'n1', user: undefined, host: '10.0.0.5', port: undefined },
    { name: undefined, user: undefined, host: '10.0.0.6', port: 2222 },
    { name: 'n3', user: undefined, host: 'fd00::5', port: 22 },
    { name: undefined, user: undefined, host: 'fd00::6', port: undefined },
    { name: undefined, user: 'root', host: 'node-4.lan', port: 22 },
  ])
})

test.each([
  ['-l root@n1', 'not a user name'],
  ['@n1', 'not a user name'],
  ['=n1', 'not a node name'],
  ['../x=n1', 'not a node name'],
  ['n1 n2', 'is not a host'],
  ['-oProxyCommand=x', 'not a node name'],
  ['-v', 'is not a host'],
  ['n1:', 'is not a host'],
  ['n1:70000', 'is not a port'],
  ['n1:0', 'is not a port'],
  ['[fd00::5', 'is not a host'],
])('"%s" is refused with its line', (line, message) => {
  expect(() => parseHostsFile(`n0\n${line}\n`, 'hosts')).toThrow(
    expect.objectContaining({
      message: expect.stringContaining(message),
      exitCode: 65,
      position: { file: 'hosts', line: 2 },
    }),
  )
})

test('a file without hosts is refused', () => {
  expect(() => parseHostsFile('# none yet\n', 'hosts')).toThrow(/names no host/)
})

test('a bad argument is a usage error', () => {
  expect(() => parseHost('n1:x')).toThrow(expect.objectContaining({ exitCode: 64 }))
})
