import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { evidenceCreate, evidenceVerify } from '../../../src/commands/evidence.ts'
import { planApprove, planSign } from '../../../src/commands/plan-signature.ts'
import { exitCode } from '../../../src/core/errors.ts'
import { exampleRun } from '../../support/example-run.ts'
import { recordingIo } from '../../support/recording-io.ts'
import { requirePart } from '../../support/require-part.ts'
import { sshKeygenMissing } from '../../support/ssh-keygen.ts'

/** Plan, approvals and archive signed with real keys, checked with ssh-keygen. */
describe.skipIf(requirePart('SSHKEYGEN', sshKeygenMissing()))('evidence signed with SSH keys', () => {
  let folder: string
  const at = (name: string): string => join(folder, name)

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'evidence-ssh-'))
    for (const name of ['kim', 'ops', 'mallory'])
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', at(name)])
    const line = (name: string): string => {
      const [type, key] = readFileSync(at(`${name}.pub`), 'utf8').split(' ')
      return `${name}@example.org namespaces="k3os-migrate" ${type} ${key}\n`
    }
    writeFileSync(at('allowed'), `${line('kim')}${line('ops')}`)
    writeFileSync(at('others'), line('mallory'))
    const io = recordingIo(folder)
    await exampleRun(
      folder,
      { approvals: 'approvals.json', allowedSigners: 'allowed', requireSignature: true },
      async (plan) => {
        await planSign({ file: 'plan.json', key: 'kim' }, io)
        const node = plan.nodes.map(({ name }) => name)
        const who = { file: 'plan.json', node, by: 'kim@example.org', approvals: 'approvals.json' }
        await planApprove({ ...who, key: 'kim' }, io)
      },
    )
    await evidenceCreate({ stateDir: 'state', key: 'ops', out: 'x.tar' }, io)
  })
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  const verify = async (file: string, allowedSigners: string) => {
    const io = recordingIo(folder)
    const end = await evidenceVerify(
      { file, allowedSigners, requireSignature: true, output: 'table' },
      io,
    ).catch((error: unknown) => error)
    return { end, said: io.stdout() }
  }

  test('holds, and names who signed what', async () => {
    const { end, said } = await verify('x.tar', 'allowed')
    expect(end).toBe(0)
    expect(said).toMatch(/ok +manifest\.json\.sig .*by ops@example\.org/)
    expect(said).toMatch(/ok +plan\.json\.sig .*by kim@example\.org/)
    expect(said).toMatch(/ok +journal\.jsonl .*approval of office-1: by kim@example\.org/)
  })

  test('is refused with 5 when nobody who signed is allowed to', async () => {
    const { end, said } = await verify('x.tar', 'others')
    expect(end).toMatchObject({ exitCode: exitCode.stalePlan })
    expect(said).toMatch(/WRONG +manifest\.json\.sig/)
  })

  test('is an archive for any tar', () => {
    const names = execFileSync('tar', ['-tf', at('x.tar')], { encoding: 'utf8' })
      .trim()
      .split('\n')
    expect(names).toEqual(names.toSorted())
    expect(names).toContain('journal.jsonl')
  })

  test('is checked by ssh-keygen and sha256sum alone, too', () => {
    const unpacked = at('unpacked')
    execFileSync('mkdir', [unpacked])
    execFileSync('tar', ['-xf', at('x.tar'), '-C', unpacked])
    const manifest = readFileSync(join(unpacked, 'manifest.json'))
    const argv = ['-Y', 'verify', '-f', at('allowed'), '-I', 'ops@example.org', '-n', 'k3os-migrate']
    const signature = ['-s', join(unpacked, 'manifest.json.sig')]
    const said = execFileSync('ssh-keygen', [...argv, ...signature], { input: manifest, encoding: 'utf8' })
    expect(said).toContain('Good "k3os-migrate" signature for ops@example.org')
    const { files } = JSON.parse(manifest.toString()) as { files: { path: string; sha256: string }[] }
    const sums = files.map(({ path, sha256 }) => `${sha256}  ${path}\n`).join('')
    execFileSync('sha256sum', ['--check', '--strict', '--quiet'], { cwd: unpacked, input: sums })
  })
})
