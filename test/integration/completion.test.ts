import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fishCompletion } from '../../src/output/completion/fish.ts'
import { zshCompletion } from '../../src/output/completion/zsh.ts'
import { recordedTree } from '../support/recorded-program.ts'
import { requirePart } from '../support/require-part.ts'

function missing(shell: string): string | undefined {
  return spawnSync(shell, ['--version']).error === undefined ? undefined : `${shell} is not installed`
}

const tree = recordedTree()
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'completion-'))
  writeFileSync(join(folder, 'c.fish'), fishCompletion(tree))
  writeFileSync(join(folder, '_k3os-migrate'), zshCompletion(tree))
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

describe.skipIf(requirePart('FISH', missing('fish')))('fish offers', () => {
  function offered(line: string): string[] {
    const script = `source c.fish; complete -C ${JSON.stringify(line)}`
    const env = { PATH: process.env['PATH'] ?? '', HOME: folder }
    const result = spawnSync('fish', ['--no-config', '-c', script], { cwd: folder, env, encoding: 'utf8' })
    expect(result.stderr).toBe('')
    const lines = result.stdout.split('\n').filter((each) => each !== '')
    return lines.map((each) => each.split('\t')[0] ?? '').toSorted()
  }

  test('every command', () => {
    expect(offered('k3os-migrate ')).toEqual(tree.commands.map(({ name }) => name).toSorted())
  })

  test.each([
    ['k3os-migrate evidence ', ['create', 'verify']],
    ['k3os-migrate plan sh', ['show']],
    ['k3os-migrate assess --fail-on ', ['high', 'low', 'medium', 'never']],
    ['k3os-migrate inventory --no-', ['--no-cluster']],
    ['k3os-migrate finalize apply --dry', ['--dry-run']],
    ['k3os-migrate completion ', ['bash', 'fish', 'zsh']],
  ])('after "%s" %j', (line, answer) => {
    expect(offered(line)).toEqual(answer)
  })
})

describe.skipIf(requirePart('ZSH', missing('zsh')))('zsh', () => {
  test('reads the script', () => {
    expect(execFileSync('zsh', ['-n', join(folder, '_k3os-migrate')], { encoding: 'utf8' })).toBe('')
  })
})
