import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sshSignatures } from '../../../src/adapters/ssh-signature.ts'
import { approver } from '../../../src/commands/approval.ts'
import { checkPlanSignature, planApprove, planSign } from '../../../src/commands/plan-signature.ts'
import { exitCode } from '../../../src/core/errors.ts'
import { json } from '../../../src/output/json.ts'
import { recordingIo } from '../../support/recording-io.ts'
import { requirePart } from '../../support/require-part.ts'
import { plan as somePlan } from '../../unit/output/report/builders.ts'

const missing = requirePart(
  'SSH',
  spawnSync('ssh-keygen', ['-?']).error === undefined ? undefined : 'ssh-keygen is not installed',
)

describe.skipIf(missing)('signatures by ssh-keygen', () => {
  let folder: string
  const plan = somePlan()
  const at = (name: string) => join(folder, name)
  const io = () => recordingIo(folder, { env: {} })

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'signatures-'))
    for (const name of ['kim', 'eve'])
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', at(name)])
    const key = readFileSync(at('kim.pub'), 'utf8').trim()
    writeFileSync(at('allowed'), `kim@example.org namespaces="k3os-migrate" ${key}\n`)
    writeFileSync(at('other-use'), `kim@example.org namespaces="git" ${key}\n`)
    writeFileSync(at('plan.json'), json(plan))
  })
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  const check = async (options = {}) =>
    checkPlanSignature(
      at('plan.json'),
      { allowedSigners: 'allowed', requireSignature: true, ...options },
      io(),
    )

  it('a plan that nobody signed is refused where a signature is required', async () => {
    await expect(check()).rejects.toMatchObject({ exitCode: exitCode.stalePlan, message: /is not signed/ })
  })

  it('a plan signed with an allowed key is taken, and says by whom', async () => {
    await planSign({ file: 'plan.json', key: 'kim' }, io())
    const said = io()
    await checkPlanSignature(at('plan.json'), { allowedSigners: 'allowed', requireSignature: true }, said)
    expect(said.stderr()).toContain('signed by kim@example.org')
  })

  it('ssh-keygen alone comes to the same verdict', () => {
    const { status } = spawnSync(
      'ssh-keygen',
      [
        '-Y',
        'verify',
        '-f',
        at('allowed'),
        '-I',
        'kim@example.org',
        '-n',
        'k3os-migrate',
        '-s',
        at('plan.json.sig'),
      ],
      { input: readFileSync(at('plan.json')) },
    )
    expect(status).toBe(0)
  })

  it('a signature that ssh-keygen alone made is taken too', async () => {
    rmSync(at('plan.json.sig'))
    execFileSync('ssh-keygen', ['-q', '-Y', 'sign', '-f', at('kim'), '-n', 'k3os-migrate', at('plan.json')])
    await expect(check()).resolves.toBeUndefined()
  })

  it('one byte more in the plan breaks it', async () => {
    writeFileSync(at('plan.json'), `${json(plan)}\n`)
    await expect(check()).rejects.toMatchObject({ exitCode: exitCode.stalePlan, message: /does not hold/ })
    writeFileSync(at('plan.json'), json(plan))
  })

  it('a key that is allowed for other things only is not allowed here', async () => {
    await expect(check({ allowedSigners: 'other-use' })).rejects.toMatchObject({
      exitCode: exitCode.stalePlan,
    })
  })

  it('a key that nobody allowed is refused', async () => {
    await planSign({ file: 'plan.json', key: 'eve' }, io())
    await expect(check()).rejects.toMatchObject({
      exitCode: exitCode.stalePlan,
      message: /no allowed signer has this key/,
    })
  })

  it('a key that does not exist is a bad input, without its content in the message', async () => {
    await expect(planSign({ file: 'plan.json', key: 'nobody' }, io())).rejects.toMatchObject({
      exitCode: exitCode.badInput,
    })
  })

  it('a list of signers that does not exist is no list without signers', async () => {
    await expect(check({ allowedSigners: 'nothing' })).rejects.toMatchObject({ exitCode: exitCode.io })
  })

  describe('of approvals', () => {
    const options = {
      approvals: 'approvals.json',
      allowedSigners: 'allowed',
      requireSignature: true,
      output: 'table',
    } as const
    const approve = async () => {
      const [node] = plan.nodes
      if (node === undefined) throw new Error('no node')
      return (await approver(plan, options, io(), () => new Date(), sshSignatures()))(node)
    }
    const sign = async (key: string, by: string) => {
      rmSync(at('approvals.json'), { force: true })
      const [node] = plan.nodes
      await planApprove(
        { file: 'plan.json', node: [node?.name ?? ''], by, approvals: 'approvals.json', key },
        io(),
      )
    }

    it('by the one who says so count', async () => {
      await sign('kim', 'kim@example.org')
      expect(await approve()).toMatchObject({ by: 'kim@example.org', how: 'signed file' })
    })

    it('by somebody else in their name are refused', async () => {
      await sign('eve', 'kim@example.org')
      await expect(approve()).rejects.toMatchObject({ exitCode: exitCode.stalePlan })
    })

    it('that were changed afterwards are refused', async () => {
      await sign('kim', 'kim@example.org')
      const entries = JSON.parse(readFileSync(at('approvals.json'), 'utf8')) as { at: string }[]
      const moved = entries.map((entry) => ({ ...entry, at: '2030-01-01T00:00:00Z' }))
      writeFileSync(at('approvals.json'), JSON.stringify(moved))
      await expect(approve()).rejects.toMatchObject({ exitCode: exitCode.stalePlan })
    })
  })

  it('a program that is not there says what is needed', async () => {
    await expect(sshSignatures('no-such-ssh-keygen').sign(at('kim'), 'x')).rejects.toMatchObject({
      message: expect.stringContaining('there is no such program'),
      hint: expect.stringContaining('OpenSSH'),
    })
  })
})
