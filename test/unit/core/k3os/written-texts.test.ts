import { describe, expect, test } from 'vitest'
import { withAuthorizedKey } from '../../../../src/core/k3os/authorized-keys.ts'
import { connmanMain, connmanServices } from '../../../../src/core/k3os/connman-files.ts'
import { mergeEnvironment } from '../../../../src/core/k3os/environment-file.ts'
import { renameInHosts } from '../../../../src/core/k3os/hosts-file.ts'

describe('/etc/hosts', () => {
  test('only the first field decides, and every line loses its indentation', () => {
    const before = '  127.0.0.1 a\n127.0.1.1\told b\n127.0.1.10 c\n# 127.0.1.1 d\n'
    expect(renameInHosts(before, 'new')).toBe('127.0.0.1 a\n127.0.1.1 new\n127.0.1.10 c\n# 127.0.1.1 d\n')
  })

  test('a last line without an end gets one, and an empty file stays empty', () => {
    expect(renameInHosts('127.0.1.1 a', 'b')).toBe('127.0.1.1 b\n')
    expect(renameInHosts('', 'b')).toBe('')
  })
})

describe('/etc/environment', () => {
  test('is read with and without export and quotes, and written with quotes', () => {
    const before = '# gone\nexport A=1\nB="two words"\nC=`x`\nDD\nE="bad\n'
    expect(mergeEnvironment(before, {})).toBe('A="1"\nB="two words"\nC="x"\nDD=""\nE="\\"bad"\n')
  })

  test('new values replace old ones', () => {
    expect(mergeEnvironment('A="1"\nB="2"\n', { A: '3', C: '4' })).toBe('A="3"\nB="2"\nC="4"\n')
  })

  test.each([
    ['a"b\\c', String.raw`"a\"b\\c"`],
    ['a\nb\tc\x07\x7f', String.raw`"a\nb\tc\a\x7f"`],
    ['größe ✓ 🦊', '"größe ✓ 🦊"'],
    ['\u00a0\u2028\ue000', String.raw`"\u00a0\u2028\ue000"`],
  ])('%j is written as Go does it, and read back', (value, written) => {
    const text = mergeEnvironment('', { A: value })
    expect(text).toBe(`A=${written}\n`)
    expect(mergeEnvironment(text, {})).toBe(text)
  })
})

describe('authorized_keys', () => {
  test('a text that is anywhere in the file is not added again', () => {
    const file = withAuthorizedKey('', 'ssh-rsa AAAA owl')
    expect(file).toBe('ssh-rsa AAAA owl\n')
    expect(withAuthorizedKey(file, 'ssh-rsa AAAA')).toBe(file)
    expect(withAuthorizedKey(file, 'ssh-rsa AAAA owl2')).toBe('ssh-rsa AAAA owl\nssh-rsa AAAA owl2\n')
  })
})

describe('connman', () => {
  test('time servers have a line only when there are some', () => {
    expect(connmanMain(['8.8.8.8'], [])).not.toContain('FallbackTimeservers')
    expect(connmanMain(['a', 'b'], ['t'])).toMatch(/FallbackNameservers=a,b\nFallbackTimeservers=t\n$/)
  })

  test('networks are numbered', () => {
    const networks = [
      { name: 'a', passphrase: 'p' },
      { name: 'b', passphrase: 'q' },
    ]
    expect(connmanServices(networks)).toContain('[service_wifi1]\nType=wifi\nPassphrase=q\nName=b\n')
  })
})
