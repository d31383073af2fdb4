import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { K3osConfig, K3osSection } from '../../../src/core/k3os/config.ts'
import { createRedactor, secretLeaves } from '../../../src/core/redact.ts'

// Not a real HMAC: tests only need equal values to look equal.
const hmac8 = (value: string): string => `${value.length}`.padStart(8, '0')

function secretsOf(k3os: K3osSection, rest: Omit<K3osConfig, 'k3os'> = {}): string[] {
  return secretLeaves({ ...rest, k3os }).map(({ secret }) => secret)
}

describe('secrets of a configuration', () => {
  test('are tokens, passwords, passphrases and contents of files', () => {
    const file = { path: '/etc/a', content: 'top', owner: '', encoding: '', permissions: '' }
    const found = secretsOf(
      { token: 'tok', password: 'pw', wifi: [{ name: 'barn', passphrase: 'hoot' }] },
      { writeFiles: [file], hostname: 'owl' },
    )
    expect(found.toSorted()).toEqual(['hoot', 'pw', 'tok', 'top'])
  })

  test.each([
    [['--token', 'abc'], ['abc']],
    [['server', '--token=abc'], ['abc']],
    [['agent', '-t', 'abc'], ['abc']],
    [['--agent-token', 'a b'], ['a b']],
    [['--datastore-endpoint=mysql://u:p@tcp(h)/db'], ['mysql://u:p@tcp(h)/db']],
    [['--cluster-secret', 'abc'], ['abc']],
    [['server --token abc --disable traefik'], ['abc']],
    [['--node-label', 'key=value', '--node-taint', 'secret=x:NoSchedule'], []],
  ])('stand in k3s arguments %j', (k3sArgs, expected) => {
    expect(secretsOf({ k3sArgs })).toEqual(expected)
  })

  test.each([
    ['K3S_TOKEN=abc k3s agent', ['abc']],
    ['k3s agent --token "two words" --server x', ['two words']],
    ["k3s server -t 'q'", ['q']],
    ['curl http://owl:hoot@h/x', ['owl:hoot']],
    ['export API_KEY=k; token=t sh x', ['k', 't']],
    ['kubectl taint node a key=value:NoSchedule', []],
    ['tar -t -f x', []],
  ])('stand in commands: %s', (command, expected) => {
    expect(secretsOf({}, { runCmd: [command] }).toSorted()).toEqual(expected.toSorted())
  })

  test('stand in variables by name, and in proxies with a user', () => {
    const environment = { AWS_SECRET_ACCESS_KEY: 'a', HTTP_PROXY: 'http://u:p@h:1', NO_PROXY: '10.0.0.0/8' }
    expect(secretsOf({ environment })).toEqual(['a', 'http://u:p@h:1'])
  })

  test('are no labels and taints, whatever they look like', () => {
    expect(secretsOf({ labels: { secret: 'x' }, taints: ['password=x:NoSchedule'] })).toEqual([])
  })
})

describe('the redactor', () => {
  test('replaces only the secret part of a value', () => {
    const redactor = createRedactor(hmac8, [])
    const config = redactor.redactConfig({ runCmd: ['K3S_TOKEN=abc k3s agent'], k3os: { token: 'longer' } })
    expect(config).toEqual({
      runCmd: ['K3S_TOKEN=<redacted:00000003> k3s agent'],
      k3os: { token: '<redacted:00000006>' },
    })
  })

  test('does not look into its own masks', () => {
    const { redactConfig } = createRedactor(hmac8, [])
    const config = redactConfig({ runCmd: ['A_TOKEN=abcd B_TOKEN=0'], k3os: {} })
    expect(config.runCmd).toEqual(['A_TOKEN=<redacted:00000004> B_TOKEN=<redacted:00000001>'])
  })

  test('finds a known value in every form a sink may give it', () => {
    const secret = 'ge/heim "x"'
    const { scrub } = createRedactor(hmac8, [secret])
    for (const form of [
      secret,
      JSON.stringify(secret),
      encodeURIComponent(secret),
      Buffer.from(secret).toString('base64'),
    ])
      expect(scrub(`before ${form} after`)).toMatch(/^before "?<redacted:00000011>"? after$/)
  })

  test('leaves very short values alone in running text', () => {
    expect(createRedactor(hmac8, ['a']).scrub('a banana')).toBe('a banana')
  })

  test('lets no value through, whatever characters it has', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 4, unit: 'grapheme' }), fc.string(), (secret, around) => {
        fc.pre(!around.includes(secret) && !`<redacted:${hmac8(secret)}>`.includes(secret))
        const { scrub, redactConfig } = createRedactor(hmac8, [secret])
        expect(scrub(`${around}${secret}${around}`)).not.toContain(secret)
        expect(redactConfig({ k3os: { token: secret } }).k3os.token).toBe(`<redacted:${hmac8(secret)}>`)
      }),
    )
  })
})
