import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { allCommands } from '../../src/core/command-tree.ts'
import { bashCompletion } from '../../src/output/completion/bash.ts'
import { fishCompletion } from '../../src/output/completion/fish.ts'
import { zshCompletion } from '../../src/output/completion/zsh.ts'
import { recordedTree } from '../support/recorded-program.ts'

const tree = recordedTree()
const script = bashCompletion(tree)
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'completion-'))
  mkdirSync(join(folder, 'a folder'))
  mkdirSync(join(folder, 'runs'))
  writeFileSync(join(folder, 'plan.json'), '')
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

/** What bash offers for the last of these words, as it calls the function when TAB is pressed. */
function offered(...words: readonly string[]): string[] {
  const ask = `${script}
COMP_WORDS=(k3os-migrate "$@")
COMP_CWORD=$#
_k3os_migrate
if [ \${#COMPREPLY[@]} -gt 0 ]; then printf '%s\\n' "\${COMPREPLY[@]}"; fi`
  const argv = ['--noprofile', '--norc', '-eu', '-c', ask, 'bash', ...words]
  return execFileSync('bash', argv, { encoding: 'utf8', cwd: folder }).split('\n').slice(0, -1)
}

describe('bash offers', () => {
  test('every command', () => {
    expect(offered('')).toEqual(tree.commands.map(({ name }) => name))
  })

  test.each([
    [['as'], ['assess']],
    [['inventory', 's'], ['script']],
    [
      ['plan', ''],
      ['show', 'diff', 'sign', 'approve'],
    ],
    [['evidence', 'v'], ['verify']],
    [['--help', 'ass'], ['assess']],
    [['plan', '--target', 'debian', 'sh'], ['show']],
    [['nothing', ''], tree.commands.map(({ name }) => name)],
  ])('after %j the command %j', (words, answer) => {
    expect(offered(...words)).toEqual(answer)
  })

  test.each([
    [['assess', '--fail'], ['--fail-on']],
    [['plan', 'show', '--ex'], ['--explain']],
    [['finalize', 'apply', '--dry'], ['--dry-run']],
    [['inventory', '--from-dir', 'x', '--no-'], ['--no-cluster']],
  ])('after %j the flag %j', (words, answer) => {
    expect(offered(...words)).toEqual(answer)
  })

  test.each([
    [
      ['assess', '--fail-on', ''],
      ['high', 'medium', 'low', 'never'],
    ],
    [['assess', '-o', 'ma'], ['markdown']],
    [
      ['apply', '--output', '=', 'js'],
      ['json', 'jsonl'],
    ],
    [
      ['apply', '--output', '='],
      ['table', 'json', 'jsonl'],
    ],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['apply', '--approve-plan', ''], []],
  ])('after %j the value %j', (words, answer) => {
    expect(offered(...words)).toEqual(answer)
  })

  test('files where a file is wanted', () => {
    expect(offered('apply', 'pl')).toEqual(['plan.json'])
  })

  test('folders only where a folder is wanted', () => {
    expect(offered('report', '--state-dir', '').toSorted()).toContain('runs')
    expect(offered('report', '--state-dir', '')).not.toContain('plan.json')
  })

  test('every flag of every command', () => {
    for (const [path, { flags }] of allCommands(tree))
      expect([path, offered(...path, '-')]).toEqual([path, flags.flatMap(({ names }) => names)])
  })
})

describe.each([
  ['bash', script],
  ['zsh', zshCompletion(tree)],
  ['fish', fishCompletion(tree)],
])('the script for %s', (shell, text) => {
  test('names every command and every flag', () => {
    const flat = text.replaceAll("'\\''", "'")
    for (const [, { name, flags }] of allCommands(tree)) {
      expect(flat).toContain(name)
      for (const flag of flags.flatMap(({ names }) => names))
        expect(flat).toContain(shell === 'fish' ? flag.replace(/^-+/, ' ') : flag)
    }
  })

  test('is made of whole lines of text', () => {
    expect(text.endsWith('\n')).toBe(true)
    expect(text).not.toMatch(/undefined|\[object/)
  })
})
