import { describe, expect, test } from 'vitest'
import type { ConfigSources, SourceText } from '../../../../src/core/k3os/config.ts'
import { readConfig } from '../../../../src/core/k3os/read.ts'
import type { MergedReading, RejectedReading } from '../../../../src/core/k3os/reading.ts'

function text(file: string, content: string): SourceText {
  return { file, bytes: new TextEncoder().encode(content) }
}

function merged(sources: Partial<ConfigSources>): MergedReading {
  const reading = readConfig({ configD: [], ...sources })
  if (reading.status !== 'merged') throw new Error(`rejected: ${reading.reason}`)
  return reading
}

function rejected(sources: Partial<ConfigSources>): RejectedReading {
  const reading = readConfig({ configD: [], ...sources })
  if (reading.status !== 'rejected') throw new Error('k3OS would accept this')
  return reading
}

describe('origins', () => {
  test('name source, file, line and column of a value, and where it ends', () => {
    const { origins } = merged({ system: text('s.yaml', '# a\nk3os:\n  token: "abc"\n') })
    expect(origins.get('k3os.token')).toEqual({
      source: 'system',
      place: { file: 's.yaml', line: 3, column: 10, endLine: 3, endColumn: 15 },
      verbatim: true,
      overrode: [],
    })
  })

  test('give the characters of a kernel argument that are the value', () => {
    const { origins } = merged({
      cmdline: text('cmdline', 'quiet k3os.password="a b" k3os.install.silent\n'),
    })
    expect(origins.get('k3os.password')).toMatchObject({
      place: { column: 22, endColumn: 25 },
      verbatim: true,
    })
    expect(origins.get('k3os.install.silent')).toMatchObject({
      place: { column: 27, endColumn: 46 },
      verbatim: false,
    })
  })

  test('list what a value overrode, oldest first', () => {
    const { origins } = merged({
      system: text('s.yaml', 'hostname: a\n'),
      cmdline: text('cmdline', 'hostname=b\n'),
      configD: [text('config.d/1', 'hostname: c\n')],
    })
    const files = origins.get('hostname')?.overrode.map(({ source, place }) => [source, place.file])
    expect(files).toEqual([
      ['system', 's.yaml'],
      ['cmdline', 'cmdline'],
    ])
  })

  test('of a map entry list only entries of the same name', () => {
    const { origins } = merged({
      system: text('s.yaml', 'k3os: {labels: {a: "1"}}\n'),
      local: text('l.yaml', 'k3os: {labels: {a: "2", b: "3"}}\n'),
    })
    expect(origins.get('k3os.labels.a')?.overrode).toMatchObject([{ place: { file: 's.yaml', column: 20 } }])
    expect(origins.get('k3os.labels.b')?.overrode).toEqual([])
  })

  test('of aliased values point at the anchor, where the text stands', () => {
    const { origins } = merged({ system: text('s.yaml', 'x: &x name\nhostname: *x\n') })
    expect(origins.get('hostname')?.place).toMatchObject({ line: 1, column: 7 })
  })

  test('say when k3OS changed a value, and when nobody wrote it', () => {
    const { origins } = merged({
      system: text('s.yaml', 'k3os: {sysctls: {a: 1048576, b: 7}}\nwrite_files: [{path: /a}]\n'),
    })
    expect(origins.get('k3os.sysctls.a')?.verbatim).toBe(false)
    expect(origins.get('k3os.sysctls.b')?.verbatim).toBe(true)
    expect(origins.get('writeFiles[0].owner')).toMatchObject({
      source: 'system',
      verbatim: false,
      place: { line: 2 },
    })
    expect(origins.get('k3os.install')).toEqual({
      source: 'default',
      place: null,
      verbatim: false,
      overrode: [],
    })
  })

  test('count columns behind a byte order mark and lines in Windows files as editors do', () => {
    const { origins } = merged({ system: text('s.yaml', '\ufeffhostname: a\r\nk3os: {token: b}\r\n') })
    expect(origins.get('hostname')?.place).toMatchObject({ line: 1, column: 11 })
    expect(origins.get('k3os.token')?.place).toMatchObject({ line: 2, column: 15 })
  })
})

describe('a source we could not read', () => {
  const hidden = { file: 'l.yaml', unreadable: 'permission denied', unknown: true }

  test('is no mistake of the configuration: nobody knows', () => {
    const reading = rejected({ system: text('s.yaml', 'hostname: a\n'), local: hidden })
    expect(reading).toMatchObject({ certain: false, position: { file: 'l.yaml' } })
    expect(reading.findings).toMatchObject([{ rule: 'CFG-NOT-READ', result: 'error', severity: 'inhibitor' }])
  })

  test('does not hide mistakes in the others', () => {
    const { certain, findings } = rejected({ system: text('s.yaml', '- a\n'), local: hidden })
    expect(certain).toBe(false)
    expect(findings.map(({ rule }) => rule)).toEqual(['CFG-UNREADABLE', 'CFG-NOT-READ'])
  })
})

describe('a rejected configuration', () => {
  test('names the first mistake, all of them as findings, and the settings that are lost', () => {
    const reading = rejected({
      system: text('s.yaml', 'hostname: a\nrun_cmd: [1]\n'),
      local: text('l.yaml', 'k3os: {token: 5}\n'),
    })
    expect(reading.reason).toBe('k3os.token is a number, and k3OS wants a text')
    expect(reading.position).toMatchObject({ file: 'l.yaml', line: 1, column: 15 })
    expect(reading.without).toEqual(['hostname', 'runCmd', 'k3os.token'])
    expect(reading.findings.map(({ rule, severity, location }) => [rule, severity, location?.path])).toEqual([
      ['CFG-TYPE', 'inhibitor', 'k3os.token'],
      ['CFG-TYPE', 'inhibitor', 'runCmd[0]'],
    ])
  })

  test('names every file that cannot be read', () => {
    const reading = rejected({
      system: text('s.yaml', 'a: [\n'),
      configD: [text('config.d/b', '- c\n'), { file: 'config.d/a', unreadable: 'config.d/a is a directory' }],
    })
    expect(reading.findings.map(({ location }) => location?.file)).toEqual([
      's.yaml',
      'config.d/a',
      'config.d/b',
    ])
  })

  test('says when the boot phase still works', () => {
    const { findings } = rejected({ userdata: text('userdata', 'plain text\n') })
    expect(findings[0]?.diagnosis).toContain('The boot phase does not see this source yet')
  })

  test('never shows a value that could be a secret', () => {
    const said = JSON.stringify([
      rejected({ system: text('s.yaml', 'k3os: {token: 998877}\n') }),
      rejected({ system: text('s.yaml', 'k3os: {password: [998877]}\n') }),
      rejected({ cmdline: text('cmdline', 'k3os.token=998877 k3os.token=998877\n') }),
      merged({ system: text('s.yaml', 'k3os: {environment: {MY_TOKEN: 998877, MY_KEY: " 998877 "}}\n') })
        .findings,
      merged({
        system: text('s.yaml', 'k3os: {token: "998877"}\n'),
        local: text('l.yaml', 'k3os: {token: x}\n'),
      }).findings,
    ])
    expect(said).not.toContain('998877')
  })
})

test('metadata that cannot be read is passed over, as k3OS does, with a word', () => {
  const { config, findings } = merged({
    system: text('s.yaml', 'hostname: a\n'),
    localHostname: { file: 'local_hostname', unreadable: 'local_hostname is a directory' },
  })
  expect(config.hostname).toBe('a')
  expect(findings.map(({ rule }) => rule)).toEqual(['CFG-METADATA-UNREADABLE'])
})

test('findings of one file have keys of their own', () => {
  const { findings } = merged({
    system: text('s.yaml', 'a: {b: 1, b: 2}\nc: {b: 1, b: 2}\nhostname: x\nhostname: z\n'),
  })
  const keys = findings.map(({ key }) => key)
  expect(new Set(keys).size).toBe(keys.length)
})
