import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { requirePart } from '../../support/require-part.ts'

const missing = spawnSync('script', ['--version']).error === undefined ? undefined : 'there is no script(1)'
const program = fileURLToPath(new URL('../../support/blocked-apply.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'drain-failure-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What became of the first node of a plan that leaves it open, when its drain was blocked. */
async function blocked(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const child = spawn(command, args, {
    env: { PATH: process.env['PATH'], TERM: 'xterm', ...env },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const [output] = await Promise.all([text(child.stdout), once(child, 'close')])
  return JSON.parse(/result: (.*)/.exec(output)?.[1] ?? 'null') as unknown
}

/** On a real terminal, which script(1) makes. */
const atTerminal = async (env: Readonly<Record<string, string>> = {}) =>
  blocked(
    'script',
    ['-qec', `'${process.execPath}' '${program}' '${mkdtempSync(join(folder, 't-'))}'`, '/dev/null'],
    env,
  )

describe.skipIf(requirePart('SCRIPT', missing))('a drain that fails', () => {
  const pause = { exit: 9, cordoned: true, written: 'pause' }
  const uncordon = { exit: 9, cordoned: false, written: 'uncordon' }

  test('at a terminal, leaves the node cordoned', async () => {
    expect(await atTerminal()).toEqual(pause)
  })

  test('at a terminal with CI set, leaves nothing behind', async () => {
    expect(await atTerminal({ CI: 'true' })).toEqual(uncordon)
  })

  test('without a terminal, leaves nothing behind', async () => {
    expect(await blocked(process.execPath, [program, mkdtempSync(join(folder, 'p-'))])).toEqual(uncordon)
  })
})
