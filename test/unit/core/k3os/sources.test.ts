import { describe, expect, test } from 'vitest'
import type { ConfigSources, SourceText } from '../../../../src/core/k3os/config.ts'
import { configSourcesFrom, sourcesIn, type NodeFiles } from '../../../../src/core/k3os/sources.ts'

const encoder = new TextEncoder()

function filesOf(
  contents: Readonly<Record<string, string>>,
  names: readonly string[] | undefined,
): NodeFiles {
  return {
    read: (path) => {
      const content = contents[path]
      return Promise.resolve(
        content === undefined ? undefined : { file: path, bytes: encoder.encode(content) },
      )
    },
    list: () => Promise.resolve(names),
  }
}

const source = (file: string): SourceText => ({ file, bytes: encoder.encode('') })
const all: ConfigSources = {
  system: source('system'),
  cmdline: source('cmdline'),
  local: source('local'),
  localHostname: source('hostname'),
  authorizedKeys: source('keys'),
  userdata: source('userdata'),
  configD: [source('drop-in')],
}

describe('the sources of a node', () => {
  test('are those that exist', async () => {
    const files = filesOf({ '/proc/cmdline': 'quiet', '/run/config/userdata': 'a: b' }, undefined)
    const sources = await configSourcesFrom(files)
    expect(Object.keys(sources).toSorted()).toEqual(['cmdline', 'configD', 'userdata'])
    expect(sources.configD).toEqual([])
  })

  test('pass over drop-ins that dangle', async () => {
    const there = '/var/lib/rancher/k3os/config.d/.a'
    const sources = await configSourcesFrom(filesOf({ [there]: '' }, ['.a', 'dangling']))
    expect(sources.configD.map(({ file }) => file)).toEqual([there])
  })

  test('keep a drop-in folder that is none, for k3OS gives up on it', async () => {
    const broken = { file: 'config.d', unreadable: 'config.d is a file' }
    const files: NodeFiles = { ...filesOf({}, undefined), list: () => Promise.resolve(broken) }
    expect((await configSourcesFrom(files)).configD).toEqual([broken])
  })
})

describe('the sources of a phase', () => {
  test.each([
    ['initrd', 'disk', ['cmdline']],
    ['initrd', 'overlay', ['cmdline', 'drop-in', 'local']],
    ['boot', 'disk', ['cmdline', 'drop-in', 'local', 'system']],
    ['runtime', 'disk', ['cmdline', 'drop-in', 'hostname', 'keys', 'local', 'system', 'userdata']],
    ['install', 'live', ['cmdline', 'drop-in', 'hostname', 'keys', 'local', 'system', 'userdata']],
  ] as const)('%s, mode %s', (phase, mode, expected) => {
    const { configD, ...named } = sourcesIn(phase, mode, all)
    expect([...Object.values(named), ...configD].map(({ file }) => file).toSorted()).toEqual(expected)
  })
})
