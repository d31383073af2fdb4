import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { requirePart } from '../../support/require-part.ts'

const missing = spawnSync('script', ['--version']).error === undefined ? undefined : 'there is no script(1)'
const adapter = fileURLToPath(new URL('../../../src/adapters/terminal.ts', import.meta.url))

// A timer keeps the process alive, as the renewal of a lock does: the prompt itself must end.
const program = `
import { terminalIo } from ${JSON.stringify(adapter)}
const io = terminalIo()
const timer = setInterval(() => {}, 1000)
const answer = io.interactive ? await io.ask('Type its name:') : 'nobody was asked'
clearInterval(timer)
console.log('answer: ' + JSON.stringify(answer ?? null))
`

/** A real prompt on a real terminal, which script(1) makes; what is typed comes from \`input\`. */
async function answerTo(input: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const command = `'${process.execPath}' --input-type=module -e "$PROGRAM"`
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: { PATH: process.env['PATH'], TERM: 'xterm', PROGRAM: program, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let asked = false
  child.stdout.on('data', (chunk: Buffer) => {
    if (asked || !chunk.toString().includes('Type its name:')) return
    asked = true
    child.stdin.end(input)
  })
  const [output] = await Promise.all([text(child.stdout), once(child, 'close')])
  return /answer: (.*)/.exec(output)?.[1]?.trim() ?? output
}

describe.skipIf(requirePart('SCRIPT', missing))('a prompt on a terminal', () => {
  test('takes what is typed', async () => {
    expect(await answerTo('shop-1\r')).toBe('"shop-1"')
  })

  test.each([
    ['the end of input (Ctrl-D)', '\u0004'],
    ['Ctrl-C', '\u0003'],
    ['a terminal that went away', ''],
  ])('takes %s for no answer', async (_, input) => {
    expect(await answerTo(input)).toBe('null')
  })

  test('is not shown where CI is set', async () => {
    expect(await answerTo('', { CI: 'true' })).toBe('"nobody was asked"')
  })
})
