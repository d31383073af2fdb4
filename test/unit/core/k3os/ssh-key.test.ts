import { expect, test } from 'vitest'
import { fetchedFrom } from '../../../../src/core/k3os/ssh-key.ts'

// What Go's net/url.Parse takes for a URL with a scheme.
test.each([
  ['ssh-ed25519 AAAA owl@barn', null],
  ['ecdsa-sha2-nistp256 AAAA x:y', null],
  ['command="a: b" ssh-rsa AAAA', null],
  ['', null],
  [':x', null],
  ['1a:b', null],
  ['a:\tb', null],
  ['https://h:port/x', null],
  ['https://a b/x', null],
  ['https://h/%zz', null],
  ['github:owl', { url: 'https://github.com/owl.keys' }],
  ['GitHub:owl', { url: 'https://github.com/owl.keys' }],
  ['gitlab:owl?x#y', { url: 'https://gitlab.com/owl.keys' }],
  ['https://h:8443/keys?a=b', { url: 'https://h:8443/keys?a=b' }],
  ['http://[::1]:80/x', { url: 'http://[::1]:80/x' }],
  ['ldap:x', { url: null }],
])('%j', (key, expected) => {
  expect(fetchedFrom(key)).toEqual(expected)
})
