import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sha256 } from '../../../src/adapters/files.ts'
import type { Signatures } from '../../../src/adapters/ssh-signature.ts'
import { abandon } from '../../../src/commands/abandon.ts'
import { apply, type MovePorts } from '../../../src/commands/apply.ts'
import { evidenceCreate, evidenceVerify } from '../../../src/commands/evidence.ts'
import { planApprove } from '../../../src/commands/plan-signature.ts'
import { exitCode, MigrateError } from '../../../src/core/errors.ts'
import type { Evidence } from '../../../src/core/evidence.ts'
import type { EvidenceVerdict } from '../../../src/core/evidence-verdict.ts'
import { chain, type JournalRecord } from '../../../src/core/journal.ts'
import { planDigest } from '../../../src/core/make-plan.ts'
import type { Plan } from '../../../src/core/plan.ts'
import { readTar, writeTar } from '../../../src/core/archive.ts'
import { simulatedKube } from '../../../src/simulation/kube.ts'
import { simulatedHost } from '../../../src/simulation/machines.ts'
import { examplePlan } from '../../support/example-cluster.ts'
import { exampleRun, type ExampleRun } from '../../support/example-run.ts'
import { recordingIo } from '../../support/recording-io.ts'

const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes)
const bytes = (content: string): Uint8Array => new TextEncoder().encode(content)
const messageText = (message: string | Uint8Array): string =>
  typeof message === 'string' ? message : text(message)

/** Signs with the name of the key; ssh-keygen itself is in the integration suite. */
const signatures: Signatures = {
  sign: async (keyFile, message) => `${basename(keyFile)} ${sha256(message)}`,
  verify: async ({ signature, message, principal }) => {
    const [name = '', digest] = signature.trim().split(' ')
    if (digest !== sha256(messageText(message)))
      return { status: 'invalid', reason: 'it is over something else' }
    return principal === undefined || principal === name
      ? { status: 'valid', principals: [name] }
      : { status: 'invalid', reason: `it is by ${name}` }
  },
}

let folder: string
let made: ExampleRun
let archive: ReadonlyMap<string, Uint8Array>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'evidence-'))
  made = await exampleRun(folder, { approvals: 'approvals.json' }, async (plan) => {
    const node = plan.nodes.map(({ name }) => name)
    const who = { file: 'plan.json', by: 'kim', key: 'kim', approvals: 'approvals.json', node }
    await planApprove(who, recordingIo(folder), signatures)
    const planFile = join(folder, 'plan.json')
    writeFileSync(`${planFile}.sig`, await signatures.sign('kim', readFileSync(planFile)))
  })
  await create({ key: 'ops' })
  archive = readTar(readFileSync(join(folder, 'x.tar')), 'x.tar')
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

async function create(options: { key?: string; run?: string } = {}) {
  return evidenceCreate({ stateDir: 'state', out: 'x.tar', ...options }, recordingIo(folder), signatures)
}

/** What `evidence verify` prints about an archive of these files, and how it ends. */
async function verify(
  files: ReadonlyMap<string, Uint8Array>,
  options: { allowedSigners?: string; requireSignature?: boolean } = { allowedSigners: 'allowed' },
) {
  writeFileSync(join(folder, 'given.tar'), writeTar(files))
  const io = recordingIo(folder)
  const end = await evidenceVerify({ file: 'given.tar', output: 'json', ...options }, io, signatures).catch(
    (error: { exitCode: number; message: string }) => error,
  )
  const verdict = JSON.parse(io.stdout()) as EvidenceVerdict
  const wrong = verdict.checks.filter(({ result }) => result === 'wrong')
  return { end, verdict, wrong: wrong.map(({ part, detail }) => `${part}: ${detail}`) }
}

type Change = (files: Map<string, Uint8Array>) => void

function tampered(...changes: readonly Change[]): Map<string, Uint8Array> {
  const files = new Map(archive)
  for (const change of changes) change(files)
  return files
}

const edit =
  (path: string, change: (content: string) => string): Change =>
  (files) => {
    const before = text(files.get(path))
    const after = change(before)
    if (after === before) throw new Error(`nothing was changed in ${path}`)
    files.set(path, bytes(after))
  }

/** As somebody would who knows that there are digests. */
const relist: Change = (files) => {
  const manifest = JSON.parse(text(files.get('manifest.json'))) as Evidence
  const listed = [...files].filter(([path]) => !path.startsWith('manifest.json'))
  const digests = listed.map(([path, content]) => ({ path, sha256: sha256(content), bytes: content.length }))
  files.set('manifest.json', bytes(JSON.stringify({ ...manifest, files: digests })))
}

const unsign: Change = (files) => void files.delete('manifest.json.sig')

/** Writes the whole journal anew with a right chain. */
const rewriteJournal = (change: (record: JournalRecord) => JournalRecord): Change =>
  edit('journal.jsonl', (content) => {
    const records: JournalRecord[] = []
    for (const line of content.trimEnd().split('\n')) {
      const { v: _, seq: __, prev: ___, hash: ____, ...entry } = change(JSON.parse(line) as JournalRecord)
      records.push(chain(records.at(-1), entry, sha256))
    }
    return records.map((record) => `${JSON.stringify(record)}\n`).join('')
  })

describe('the archive of a run', () => {
  test('holds: every check is right and every signature is good', async () => {
    const { end, verdict } = await verify(archive, { allowedSigners: 'allowed', requireSignature: true })
    expect([end, new Set(verdict.checks.map(({ result }) => result))]).toEqual([0, new Set(['right'])])
  })

  test('says who approved what and when, with a signature', async () => {
    const { verdict } = await verify(archive)
    expect(verdict.approvals.map(({ node, by, signed }) => [node, by, signed])).toEqual(
      made.plan.nodes.map(({ name }) => [name, 'kim', true]),
    )
  })

  test('says what became of each node', async () => {
    const { verdict } = await verify(archive)
    expect(verdict.nodes).toEqual(
      made.plan.nodes.map(({ name }) => ({
        name,
        state: 'done',
        osImageBefore: expect.stringMatching(/^k3OS/),
        osImageAfter: expect.stringMatching(/^Debian/),
      })),
    )
  })

  test('has the same bytes when it is made again', async () => {
    const before = readFileSync(join(folder, 'x.tar'))
    await create({ key: 'ops' })
    expect(readFileSync(join(folder, 'x.tar')).equals(before)).toBe(true)
  })

  test('has an in-toto statement for each node', () => {
    const statements = text(archive.get('statements.intoto.jsonl'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { _type: string; subject: [{ name: string }]; predicate: object })
    expect(statements.map(({ subject: [{ name }] }) => name)).toEqual(made.plan.nodes.map(({ name }) => name))
    for (const { _type, predicate } of statements) {
      expect(_type).toBe('https://in-toto.io/Statement/v1')
      expect(predicate).toMatchObject({
        planDigest: made.plan.digest,
        result: 'done',
        approvals: [{ by: 'kim', how: 'file' }],
        before: { osImage: expect.stringMatching(/^k3OS/) },
        after: { nonce: expect.stringMatching(/^[0-9a-f]{32}$/) },
      })
    }
  })

  test('names the raw inventories by their digests and leaves them where they are', () => {
    const manifest = JSON.parse(text(archive.get('manifest.json'))) as Evidence
    expect(manifest.withheld.map(({ path }) => path)).toEqual(
      made.plan.nodes.map(({ bundleFile }) => bundleFile).toSorted(),
    )
    expect([...archive.keys()].filter((path) => path.includes('bundle'))).toEqual([])
  })

  test('without a list of signers its signatures are not checked, and that is said', async () => {
    const { end, verdict } = await verify(archive, {})
    const unchecked = verdict.checks.filter(({ result }) => result === 'not-checked')
    expect([end, unchecked.length]).toEqual([0, 2 + made.plan.nodes.length])
    expect(unchecked[0]?.detail).toContain('--allowed-signers')
  })

  test('is printed for people with a headline and a table', async () => {
    writeFileSync(join(folder, 'given.tar'), writeTar(archive))
    const io = recordingIo(folder)
    await evidenceVerify({ file: 'given.tar', output: 'table', allowedSigners: 'a' }, io, signatures)
    expect(io.stdout()).toMatch(/^ok +journal\.jsonl +is whole: each of its \d+ records/m)
    expect(io.stdout()).toMatch(/^The evidence holds: (\d+) of \1 checks\.$/m)
  })
})

const newerPlan = (content: string): string => {
  const plan = JSON.parse(content) as Plan
  const changed = { ...plan, policy: { ...plan.policy, maxAgeHours: 9000 } }
  return JSON.stringify({ ...changed, digest: planDigest(changed, sha256) })
}

describe('an archive that somebody changed is refused with 5 and names the part:', () => {
  test.each<[string, string, readonly Change[]]>([
    ...[
      'plan.json',
      'inventory.yaml',
      'assessment.json',
      'journal.jsonl',
      'events.jsonl',
      'outcome.json',
    ].map((path): [string, string, readonly Change[]] => [
      `one byte more in ${path}`,
      `${path}: it has `,
      [edit(path, (content) => `${content} `)],
    ]),
    [
      'a file of the same length',
      'events.jsonl: its SHA-256 is',
      [edit('events.jsonl', (c) => c.replace('a', 'b'))],
    ],
    ['a file that is missing', 'events.jsonl: it is missing', [(files) => void files.delete('events.jsonl')]],
    [
      'a file that is missing from the manifest too',
      'journal.jsonl: it is missing',
      [(files) => void files.delete('journal.jsonl'), relist, unsign],
    ],
    [
      'a file that was added',
      'more.txt: the manifest does not list it',
      [(files) => void files.set('more.txt', bytes('x'))],
    ],
    [
      'the plan, with digests to match',
      'plan.json: it was changed after it was made',
      [edit('plan.json', (c) => c.replace('"maxAgeHours": 24', '"maxAgeHours": 90')), relist, unsign],
    ],
    [
      'the plan with its own digest, too',
      'plan.json: the manifest is about sha256:',
      [edit('plan.json', newerPlan), relist, unsign],
    ],
    [
      'the plan under its signature',
      'plan.json.sig: it is over something else',
      [edit('plan.json', newerPlan)],
    ],
    [
      'the inventory, with digests to match',
      'inventory.yaml: its SHA-256 is',
      [edit('inventory.yaml', (c) => `${c}# x\n`), relist, unsign],
    ],
    [
      'a record in the middle of the journal',
      'journal.jsonl: the journal was changed after it was written',
      [
        edit('journal.jsonl', (c) => c.replace('"wasUnschedulable":false', '"wasUnschedulable":true')),
        relist,
        unsign,
      ],
    ],
    [
      'the end of the journal cut off',
      'journal.jsonl: its last record is not the end of a run',
      [edit('journal.jsonl', (c) => `${c.trimEnd().split('\n').slice(0, -3).join('\n')}\n`), relist, unsign],
    ],
    [
      'half a line of the journal',
      'journal.jsonl: its last line is torn',
      [edit('journal.jsonl', (c) => c.slice(0, -9)), relist, unsign],
    ],
    [
      'a journal written anew with a right chain',
      'journal.jsonl: the manifest has other hashes',
      [rewriteJournal((record) => ({ ...record, monotonicMs: 1 })), relist, unsign],
    ],
    [
      'an approval under another name in a journal written anew',
      'journal.jsonl: it is over something else',
      [
        rewriteJournal((record) =>
          record.data['approval'] === undefined
            ? record
            : { ...record, data: { approval: { ...record.data['approval'], by: 'mallory' } } },
        ),
      ],
    ],
    [
      'an outcome that says something else',
      'outcome.json: it says something else about ',
      [
        edit('outcome.json', (c) => c.replace('"osImageAfter": "Debian', '"osImageAfter": "Dabian')),
        relist,
        unsign,
      ],
    ],
    [
      'an outcome with another end',
      'outcome.json: it says exit 9, the journal 0',
      [edit('outcome.json', (c) => c.replace('"exit": 0', '"exit": 9')), relist, unsign],
    ],
    [
      'a statement',
      'statements.intoto.jsonl: it says something else',
      [
        edit('statements.intoto.jsonl', (c) => c.replace('"result":"done"', '"result":"dune"')),
        relist,
        unsign,
      ],
    ],
    [
      'the digest of a raw inventory',
      'bundles/office-1.bundle: its SHA-256 is',
      [
        edit('manifest.json', (c) => c.replace(/(office-1\.bundle",\s+"sha256": ")....../, '$1000000')),
        unsign,
      ],
    ],
    ['the manifest under its signature', 'manifest.json.sig: it is over something else', [relist]],
    ['no manifest', 'manifest.json: it is missing', [(files) => void files.delete('manifest.json')]],
    ['a manifest that is none', 'manifest.json: it is not JSON', [edit('manifest.json', () => 'x')]],
  ])('%s', async (_, message, changes) => {
    const { end, wrong } = await verify(tampered(...changes))
    expect(end).toMatchObject({ exitCode: exitCode.stalePlan, hint: expect.any(String) })
    expect(wrong).toContainEqual(expect.stringContaining(message))
  })

  test('no signature over all of it, where one is required', async () => {
    const { wrong } = await verify(tampered(unsign), { allowedSigners: 'a', requireSignature: true })
    expect(wrong).toEqual(['manifest.json.sig: it is missing, and a signature is required'])
  })
})

describe('what cannot be looked at is refused:', () => {
  const checked = async (options: object) =>
    evidenceVerify({ file: 'missing.tar', output: 'table', ...options }, recordingIo(folder), signatures)

  test('a file that is not there, with 74', async () => {
    await expect(checked({})).rejects.toMatchObject({ exitCode: exitCode.io })
  })

  test('something that is no archive, with 65', async () => {
    writeFileSync(join(folder, 'text.tar'), 'hello')
    await expect(checked({ file: 'text.tar' })).rejects.toMatchObject({ exitCode: exitCode.badInput })
  })

  test('to require a signature without knowing whose, with 64', async () => {
    await expect(checked({ requireSignature: true })).rejects.toMatchObject({ exitCode: exitCode.usage })
  })
})

describe('the archive of a run that did not complete', () => {
  let other: string
  let ports: MovePorts
  let run: string
  beforeAll(async () => {
    other = await mkdtemp(join(tmpdir(), 'evidence-'))
    const world = await examplePlan(other)
    const kube = simulatedKube(world)
    const hook = { run: async () => ({ exitCode: 75, tail: 'not today' }) }
    ports = { kube, reader: kube, host: simulatedHost(world), hook, clock: world.clock }
    const { digest } = JSON.parse(readFileSync(join(other, 'plan.json'), 'utf8')) as Plan
    const options = { plan: 'plan.json', approvePlan: digest, stateDir: 'state', output: 'table' } as const
    await apply(options, recordingIo(other), ports).catch((error: unknown) => {
      if (!(error instanceof MigrateError) || error.exitCode !== exitCode.rolledBack) throw error
    })
    ;[run = ''] = readdirSync(join(other, 'state/runs'))
  })
  afterAll(async () => {
    await rm(other, { recursive: true, force: true })
  })
  const check = async () => {
    const io = recordingIo(other)
    await evidenceCreate({ stateDir: 'state', out: 'x.tar' }, io)
    return [await evidenceVerify({ file: 'x.tar', output: 'table' }, io), io.stdout()] as const
  }

  test('holds when it paused', async () => {
    expect(await check()).toEqual([0, expect.stringMatching(/rolled-back/)])
  })

  test('holds when it was abandoned', async () => {
    await abandon({ run, stateDir: 'state', output: 'table' }, recordingIo(other), ports)
    expect((await check())[0]).toBe(0)
  })
})

describe('no archive is made', () => {
  async function copied(change: (directory: string) => void): Promise<string> {
    const copy = join(await mkdtemp(join(folder, 'copy-')), 'run')
    await cp(made.directory, copy, { recursive: true })
    change(copy)
    return copy
  }

  test('of a run that is under way or was killed', async () => {
    const run = await copied((directory) => {
      const file = join(directory, 'journal.jsonl')
      writeFileSync(file, `${readFileSync(file, 'utf8').trimEnd().split('\n').slice(0, -5).join('\n')}\n`)
    })
    await expect(create({ run })).rejects.toMatchObject({
      exitCode: exitCode.stalePlan,
      message: expect.stringContaining('its last record is not the end of a run'),
      hint: expect.stringContaining('k3os-migrate resume'),
    })
  })

  test('of a run whose raw inventory was changed since', async () => {
    const run = await copied((directory) => writeFileSync(join(directory, 'bundles/office-1.bundle'), 'x'))
    await expect(create({ run })).rejects.toMatchObject({ exitCode: exitCode.stalePlan })
  })

  test('of a folder without an outcome', async () => {
    await expect(create({ run: './state' })).rejects.toMatchObject({ exitCode: exitCode.io })
  })
})
