import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { translate, type TranslateOptions } from '../../../src/commands/translate.ts'
import { recordingIo } from '../../support/recording-io.ts'

function folder(): string {
  const cwd = mkdtempSync(join(tmpdir(), 'talos-secrets-'))
  writeFileSync(join(cwd, 'config.yaml'), 'hostname: n1\nk3os: {k3s_args: [server]}\n')
  return cwd
}

async function run(cwd: string, more: Partial<TranslateOptions>) {
  const io = recordingIo(cwd)
  const exit = await translate(
    { config: 'config.yaml', target: 'talos', out: 'out', output: 'json', withSecrets: true, ...more },
    io,
  )
  return { exit, printed: io.stdout() + io.stderr() }
}

const filesIn = (cwd: string) =>
  readdirSync(join(cwd, 'out'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

describe('secrets of a new cluster', () => {
  test('are in a file of their own, and nowhere else', async () => {
    const cwd = folder()
    const { exit, printed } = await run(cwd, {})
    expect(exit).toBe(0)
    const path = join(cwd, 'out/secrets.yaml')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const values = readFileSync(path, 'utf8')
      .split(/\s+/)
      .filter((word) => word.length > 20)
    expect(values.length).toBeGreaterThan(12)
    const elsewhere = [
      printed,
      ...filesIn(cwd)
        .filter((file) => file !== path)
        .map((file) => readFileSync(file, 'utf8')),
    ]
    expect(values.filter((value) => elsewhere.some((text) => text.includes(value)))).toEqual([])
  })

  test('are never overwritten, and nothing is written then', async () => {
    const cwd = folder()
    await run(cwd, {})
    const path = join(cwd, 'out/secrets.yaml')
    const before = readFileSync(path, 'utf8')
    writeFileSync(join(cwd, 'config.yaml'), 'hostname: n2\n')
    await expect(run(cwd, {})).rejects.toMatchObject({
      exitCode: 64,
      message: 'out/secrets.yaml is there already, and the secrets of a cluster are never overwritten',
    })
    expect(readFileSync(path, 'utf8')).toBe(before)
    expect(readdirSync(join(cwd, 'out'))).not.toContain('n2')
  })

  test('are made on request only', async () => {
    const cwd = folder()
    await run(cwd, { withSecrets: false })
    expect(readdirSync(join(cwd, 'out'))).toEqual(['n1'])
  })

  test.each([[{ target: 'debian' }], [{ target: undefined, allTargets: true }], [{ compare: true }]])(
    'are not for %j',
    async (more) => {
      await expect(run(folder(), more)).rejects.toMatchObject({
        exitCode: 64,
        message: expect.stringContaining('--with-secrets is for --target talos'),
      })
    },
  )
})
