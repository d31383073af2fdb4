import { describe, expect, test } from 'vitest'
import { fieldOf, meantField, namesOf, snakeCase, usualSpelling } from '../../../../src/core/k3os/names.ts'
import { rootShape, type Shape } from '../../../../src/core/k3os/shape.ts'

function shapeOf(...path: string[]): Shape {
  return path.reduce((shape, name) => {
    const field = shape.fields.get(name)
    if (field === undefined || !('shape' in field)) throw new Error(`no object ${name}`)
    return field.shape
  }, rootShape)
}

function aliasesOf(shape: Shape): Record<string, string[]> {
  const byField = Map.groupBy(namesOf(shape).aliases, ([, field]) => field)
  return Object.fromEntries(
    Array.from(byField, ([field, pairs]) => [field, pairs.map(([alias]) => alias).toSorted()]),
  )
}

describe('spellings', () => {
  test('of top-level settings', () => {
    expect(aliasesOf(rootShape)).toEqual({
      sshAuthorizedKeys: [
        'ssh_authorized_key',
        'ssh_authorized_keys',
        'sshauthorizedkey',
        'sshauthorizedkeys',
      ],
      writeFiles: ['write_fil', 'write_file', 'write_files', 'writefil', 'writefile', 'writefiles'],
      k3os: ['k3o'],
      runCmd: ['run_cmd', 'runcmd'],
      bootCmd: ['boot_cmd', 'bootcmd'],
      initCmd: ['init_cmd', 'initcmd'],
    })
  })

  test('of one-word settings: the singular, and two letters less', () => {
    const { modules, labels, k3sArgs } = aliasesOf(shapeOf('k3os'))
    expect({ modules, labels, k3sArgs }).toEqual({
      modules: ['modul', 'module'],
      labels: ['label'],
      k3sArgs: ['k3s_arg', 'k3s_args', 'k3sarg', 'k3sargs'],
    })
  })

  test('of passphrases', () => {
    expect(aliasesOf(shapeOf('k3os', 'wifi'))).toEqual({ passphrase: ['pass', 'password'] })
  })

  test.each([
    ['serverUrl', 'server_url'],
    ['k3sArgs', 'k3s_args'],
    ['URLName', 'urlname'],
    ['tty', 'tty'],
  ])('%s is %s in snake case', (name, expected) => {
    expect(snakeCase(name)).toBe(expected)
  })

  test.each([
    ['HOSTNAME', 'hostname'],
    ['runCMD', 'runCmd'],
    ['\u212a3OS', 'k3os'],
    ['ho\u017ftname', 'hostname'],
    ['host_name', undefined],
  ])('%s is decoded into %s', (key, field) => {
    expect(fieldOf(key, namesOf(rootShape))).toBe(field)
  })

  test.each([
    ['ssh-authorized-keys', 'sshAuthorizedKeys'],
    ['runCmds', 'runCmd'],
    ['sshAuthorizedKey', 'sshAuthorizedKeys'],
    ['packages', undefined],
  ])('%s probably meant %s', (key, field) => {
    expect(meantField(key, namesOf(rootShape))).toBe(field)
  })

  test('keys of maps are shown as they were written', () => {
    expect(usualSpelling('k3os.labels["exampleCom/roleName"]')).toBe('k3os.labels["exampleCom/roleName"]')
    expect(usualSpelling('writeFiles[0].content')).toBe('write_files[0].content')
  })
})
