import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Signatures } from '../../../src/adapters/ssh-signature.ts'
import { approver, requireApproval } from '../../../src/commands/approval.ts'
import type { RunOptions } from '../../../src/commands/run-options.ts'
import { exitCode } from '../../../src/core/errors.ts'
import { plan as somePlan } from '../output/report/builders.ts'
import { recordingIo } from '../../support/recording-io.ts'

const plan = somePlan()
const [node, other] = plan.nodes
if (node === undefined || other === undefined) throw new Error('no nodes')
const entry = { planDigest: plan.digest, node: node.name, approvedBy: 'kim', at: '2026-11-24T08:00:00Z' }
const now = () => new Date('2026-11-24T09:00:00Z')

/** Signatures of kim are good when they say so. */
const signatures: Signatures = {
  sign: async () => 'signature of kim',
  async verify({ signature, principal }) {
    return signature === `signature of ${principal ?? ''}`
      ? { status: 'valid', principals: [principal ?? ''] }
      : { status: 'invalid', reason: 'Signature verification failed' }
  },
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'approval-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

async function ask(entries: readonly object[], options: Partial<RunOptions> = {}, which = node) {
  await writeFile(join(folder, 'approvals.json'), JSON.stringify(entries))
  const all: RunOptions = { approvals: 'approvals.json', output: 'table', ...options }
  const approve = await approver(plan, all, recordingIo(folder), now, signatures)
  if (which === undefined) throw new Error('no node')
  return approve(which)
}

describe('approvals from a file', () => {
  it('count for their node and say who', async () => {
    expect(await ask([entry])).toEqual({ by: 'kim', at: entry.at, how: 'file' })
  })

  it('do not count for another node', async () => {
    await expect(ask([entry], {}, other)).rejects.toMatchObject({ exitCode: exitCode.approvalMissing })
  })

  it('do not count for another plan', async () => {
    await expect(ask([{ ...entry, planDigest: 'sha256:0' }])).rejects.toMatchObject({
      exitCode: exitCode.approvalMissing,
    })
  })

  it('without a signature do not count where one is required', async () => {
    await expect(ask([entry], { requireSignature: true, allowedSigners: 'allowed' })).rejects.toMatchObject({
      exitCode: exitCode.approvalMissing,
      message: expect.stringContaining('only entries without a signature'),
    })
  })

  it('with a good signature say so', async () => {
    const signed = { ...entry, signature: 'signature of kim' }
    expect(await ask([signed], { requireSignature: true, allowedSigners: 'allowed' })).toMatchObject({
      how: 'signed file',
    })
  })

  it('signed by somebody else than they say are refused with 5, also beside a good one', async () => {
    const forged = { ...entry, signature: 'signature of eve' }
    const good = { ...entry, at: '2026-11-25T08:00:00Z', signature: 'signature of kim' }
    await expect(ask([forged, good], { allowedSigners: 'allowed' })).rejects.toMatchObject({
      exitCode: exitCode.stalePlan,
      message: expect.stringContaining('by kim is not theirs'),
    })
  })

  it('that are no approvals are bad input, before anything is begun', async () => {
    await expect(ask([{ node: 'a' }])).rejects.toMatchObject({ exitCode: exitCode.badInput })
  })
})

describe('the digest of the plan', () => {
  it('approves every node', async () => {
    const options = { approvePlan: plan.digest, output: 'table' } as const
    const io = recordingIo(folder, { env: { USER: 'kim' } })
    const approve = await approver(plan, options, io, now, signatures)
    expect(await approve(other)).toEqual({ by: 'kim', at: '2026-11-24T09:00:00.000Z', how: 'plan' })
  })

  it('of another plan approves nothing', () => {
    const options = { approvePlan: 'sha256:0', output: 'table' } as const
    expect(() => requireApproval(plan, options, recordingIo(folder, { interactive: true }))).toThrow(
      'names another plan',
    )
  })
})

describe('a person', () => {
  it.each([
    ['types the name', node.name, true],
    ['types something else', 'yes', false],
    ['ends the input', undefined, false],
  ])('who %s', async (_, answer, approves) => {
    const io = recordingIo(folder, { interactive: true, ask: async () => answer })
    const approve = await approver(plan, { output: 'table' }, io, now, signatures)
    const outcome = approve(node).then(
      ({ how }) => how,
      (error: unknown) => error,
    )
    expect(await outcome).toEqual(
      approves ? 'typed' : expect.objectContaining({ exitCode: exitCode.approvalMissing }),
    )
  })

  it('who cannot be asked is a no', () => {
    expect(() => requireApproval(plan, { output: 'table' }, recordingIo(folder))).toThrow(
      'nobody can be asked',
    )
  })
})
