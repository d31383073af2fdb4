import { describe, expect, it } from 'vitest'
import { readArguments, type K3sArgument } from '../../../../src/core/k3s/arguments.ts'

/** `server`, `disable=traefik`, `refused --x: why`, `ignored y`. */
function text(argument: K3sArgument): string {
  switch (argument.kind) {
    case 'role':
      return argument.role
    case 'flag':
      return `${argument.flag.name}=${argument.value}`
    case 'refused':
      return `refused ${argument.word}: ${argument.reason}`
    case 'ignored':
      return `ignored ${argument.word}`
  }
}

function read(words: readonly string[], hasServerUrl = false): string[] {
  return readArguments(words, hasServerUrl).map(text)
}

describe('readArguments', () => {
  it.each([
    [
      ['server', '--disable', 'traefik'],
      ['server', 'disable=traefik'],
    ],
    [
      ['server', '--disable=traefik'],
      ['server', 'disable=traefik'],
    ],
    [
      ['server', '-disable=traefik'],
      ['server', 'disable=traefik'],
    ],
    [
      ['agent', '-i', '10.0.0.5'],
      ['agent', 'node-ip=10.0.0.5'],
    ],
    [
      ['server', '--cluster-init', '--docker=false'],
      ['server', 'cluster-init=true', 'docker=false'],
    ],
    [
      ['server', '--kubelet-arg=a=b=c'],
      ['server', 'kubelet-arg=a=b=c'],
    ],
    [
      ['server', '--node-label', '--disable'],
      ['server', 'node-label=--disable'],
    ],
  ])('reads %j as Go does', (words, expected) => {
    expect(read(words)).toEqual(expected)
  })

  it('puts the command word in front of a leading flag, by whether there is a server URL', () => {
    expect(read(['--docker'])).toEqual(['server', 'docker=true'])
    expect(read(['--docker'], true)).toEqual(['agent', 'docker=true'])
  })

  it('stops reading at a word that is no flag, like k3s', () => {
    expect(read(['server', 'stray', '--docker'])).toEqual(['server', 'ignored stray', 'ignored --docker'])
  })

  it('does not let a boolean take the next word', () => {
    expect(read(['server', '--docker', 'false'])).toEqual(['server', 'docker=true', 'ignored false'])
  })

  it('says why a word with a blank in it is no flag', () => {
    expect(read(['server', '--node-label a=b', '--docker'])).toEqual([
      'server',
      'refused --node-label: one list entry is one argument, blanks do not split it',
      'docker=true',
    ])
  })

  it('goes on behind an unknown flag and its value', () => {
    expect(read(['server', '--frobnicate', 'x', '--docker'])).toEqual([
      'server',
      'refused --frobnicate: no flag of k3s has this name',
      'docker=true',
    ])
  })

  it('refuses a missing value and a boolean that is none', () => {
    expect(read(['server', '--docker=maybe', '--disable'])).toEqual([
      'server',
      'refused --docker: its value is not true or false',
      'refused --disable: its value is missing',
    ])
  })
})
