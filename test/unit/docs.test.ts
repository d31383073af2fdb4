import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { exitCode } from '../../src/core/errors.ts'
import { commandLines, parse } from '../support/recorded-program.ts'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
const commands = typedCommands(readme)

describe('README', () => {
  test('shows commands to type', () => {
    expect(commands).not.toEqual([])
  })

  test.each(commands)('%s', async (line) => {
    const { error } = await parse(shellWords(line).slice(1))
    expect(error?.message).toBeUndefined()
  })

  test.each(commandLines())('mentions %s', (line) => {
    expect(readme).toMatch(new RegExp(`(k3os-migrate |\`)${line}\\b`))
  })

  test.each(linkedFiles(readme))('leads to %s', (file) => {
    expect(existsSync(new URL(`../../${file}`, import.meta.url))).toBe(true)
  })

  test.each(Object.entries(exitCode))('explains the exit code of %s', (_, code) => {
    expect(readme).toMatch(new RegExp(`(^|[|\`/\\s])${code}([|\`/\\s]|$)`, 'm'))
  })
})

function linkedFiles(markdown: string): readonly string[] {
  const targets = [...markdown.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '')
  return targets.filter((target) => !/^(https?:|#)/.test(target)).map((target) => target.replace(/#.*$/, ''))
}

/** Command lines of ours in `sh` and `console` blocks, without prompt, comment, pipe and redirection. */
function typedCommands(markdown: string): readonly string[] {
  const blocks = [...markdown.matchAll(/^```(sh|console)\n(.*?)^```$/gms)]
  return blocks
    .flatMap(([, , text]) => (text ?? '').replaceAll('\\\n', ' ').split('\n'))
    .map((line) => line.replace(/^\$ /, '').trim())
    .filter((line) => line.startsWith('k3os-migrate'))
    .map((line) => line.replace(/\s+([|>#]|\d?>|&&|;).*$/, ''))
}

/** The words a shell would make of a line: spaces part them, quotes keep them together. */
function shellWords(line: string): readonly string[] {
  return [...line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) => word.replaceAll(/['"]/g, ''))
}
