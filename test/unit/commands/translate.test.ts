import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parse, stringify } from 'yaml'
import { translate, type TranslateOptions } from '../../../src/commands/translate.ts'
import { formatBundle } from '../../../src/core/bundle.ts'
import { MigrateError } from '../../../src/core/errors.ts'
import { nodeFacts } from '../../../src/core/facts.ts'
import { inventorySchema, type Inventory } from '../../../src/core/inventory.ts'
import { bundleOf, canaries, k3osNode } from '../../support/k3os-node.ts'
import { recordingIo, type RecordingIo } from '../../support/recording-io.ts'

function folder(files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(tmpdir(), 'k3os-migrate-translate-'))
  onTestFinished(() => {
    rmSync(path, { recursive: true })
  })
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content)
  return path
}

async function run(
  cwd: string,
  options: Partial<TranslateOptions>,
): Promise<{ exit: number; io: RecordingIo }> {
  const io = recordingIo(cwd)
  const exit = await translate({ target: 'debian', out: 'out', output: 'table', ...options }, io)
  return { exit, io }
}

async function failure(
  cwd: string,
  options: Partial<TranslateOptions>,
): Promise<Pick<MigrateError, 'exitCode' | 'message' | 'hint'>> {
  try {
    await run(cwd, options)
  } catch (error) {
    if (error instanceof MigrateError)
      return { exitCode: error.exitCode, message: error.message, hint: error.hint }
    throw error
  }
  throw new Error('it did not fail')
}

describe('one configuration file', () => {
  it('writes the seed with its modes and prints one row', async () => {
    const cwd = folder({ 'config.yaml': 'hostname: n1\nk3os: {token: secret-4711}\n' })
    const { exit, io } = await run(cwd, { config: 'config.yaml' })
    expect(exit).toBe(0)
    const [header, row] = io.stdout().split('\n')
    expect(header?.split(/\s+/)).toEqual(['NODE', 'TARGET', 'FILES', 'FINDINGS'])
    expect(row).toMatch(/^n1 +debian +\d+ +\d+ medium/)
    const modes = readdirSync(join(cwd, 'out/n1')).map((name) => [
      name,
      (statSync(join(cwd, 'out/n1', name)).mode & 0o777).toString(8),
    ])
    expect(Object.fromEntries(modes)).toMatchObject({
      'user-data': '600',
      'network-config': '600',
      'meta-data': '644',
    })
  })

  it('writes one archive for a root tree beside k3OS, and says how to look at it', async () => {
    const cwd = folder({ 'config.yaml': 'hostname: n1\nk3os: {token: secret-4711}\n' })
    const { exit, io } = await run(cwd, { config: 'config.yaml', inPlace: true })
    expect(exit).toBe(0)
    expect(readdirSync(join(cwd, 'out/n1'))).toEqual(['root.tar'])
    expect(statSync(join(cwd, 'out/n1/root.tar')).mode & 0o777).toBe(0o600)
    expect(io.stderr()).toContain('tar -tvf out/n1/root.tar')
  })

  it.each([
    ['ubuntu', 'the target "ubuntu" cannot be put beside k3OS', 'in place go: debian'],
    [undefined, '--in-place is for one target, and --target is missing', '--target debian --in-place'],
  ])('takes no other target beside k3OS: %s', async (target, message, hint) => {
    const cwd = folder({ 'config.yaml': 'hostname: n1\n' })
    const failed = await failure(cwd, { config: 'config.yaml', inPlace: true, target })
    expect(failed).toEqual({ exitCode: 64, message, hint: expect.stringContaining(hint) as unknown })
  })

  it('says on stderr who opens the release gate', async () => {
    const cwd = folder({ 'config.yaml': 'hostname: n1\n' })
    const { io } = await run(cwd, { config: 'config.yaml' })
    expect(io.stderr()).toContain('n1: k3s starts once /etc/k3os-migrate/release exists')
  })

  it('prints one document with modes, findings and trace, and no content', async () => {
    const cwd = folder({ 'config.yaml': 'hostname: n1\nk3os: {token: secret-4711}\n' })
    const { io } = await run(cwd, { config: 'config.yaml', output: 'json' })
    const document = JSON.parse(io.stdout()) as { kind: string; nodes: { name: string; files: object[] }[] }
    expect(document).toMatchObject({ apiVersion: 'k3os-migrate/v1', kind: 'Translation', target: 'debian' })
    expect(document.nodes[0]?.files).toContainEqual({ path: 'user-data', mode: '0600' })
    expect(io.stdout() + io.stderr()).not.toContain('secret-4711')
  })

  it('ends with 3 and writes nothing when k3OS rejects it', async () => {
    const cwd = folder({ 'config.yaml': 'k3os: {token: 12345}\n' })
    const { exit, io } = await run(cwd, { config: 'config.yaml' })
    expect(exit).toBe(3)
    expect(readdirSync(cwd)).toEqual(['config.yaml'])
    expect(io.stderr()).toContain('TRN-REJECTED')
  })

  it('does not follow a host name out of the folder', async () => {
    const cwd = folder({ 'config.yaml': 'hostname: ../../n1\n' })
    expect(await failure(cwd, { config: 'config.yaml' })).toMatchObject({ exitCode: 65 })
    expect(readdirSync(cwd)).toEqual(['config.yaml'])
  })
})

describe('what is wrong with the call', () => {
  it.each([
    [{ config: 'no.yaml' }, 74, 'cannot read no.yaml: it does not exist'],
    [{ config: 'no.yaml', target: 'windows' }, 64, 'the target "windows" is not supported'],
    [{ config: 'a', target: undefined }, 64, '--target says which system to translate to, and is missing'],
    [{ config: 'a', allTargets: true }, 64, '--target and --all-targets exclude each other'],
    [{ config: 'a', output: 'markdown' as const }, 64, '-o markdown is for --compare'],
    [{ config: 'no.yaml', target: 'constructor' }, 64, 'the target "constructor" is not supported'],
    [
      { config: 'a', target: 'debian', k3sVersion: 'v1.31.5+k3s1' },
      64,
      '--k3s-version is for --target k3os-maintained: all others take the k3s of the node',
    ],
    [{ config: 'a', target: 'k3os-maintained', k3sVersion: 'newest' }, 64, '"newest" is no version of k3s'],
    [{}, 64, 'give either a configuration file or --inventory'],
    [{ config: 'a', inventory: 'b' }, 64, 'give either a configuration file or --inventory'],
    [{ config: 'a', node: 'n1' }, 64, '--node chooses a node of an inventory, and none is given'],
  ])('%j', async (options, exitCode, message) => {
    const found = await failure('/nowhere', options)
    expect(found).toMatchObject({ exitCode, message })
    expect(found.hint).toBeTruthy()
  })
})

describe('an inventory', () => {
  function collected(changes: { readonly sha256?: string } = {}): string {
    const bundle = bundleOf(k3osNode())
    const text = formatBundle(bundle)
    const sha256 = changes.sha256 ?? createHash('sha256').update(text).digest('hex')
    const inventory: Inventory = inventorySchema.parse({
      apiVersion: 'k3os-migrate/v1',
      kind: 'Inventory',
      metadata: { createdAt: '2026-01-01T00:00:00Z', toolVersion: '0' },
      cluster: null,
      nodes: [
        {
          name: 'n1',
          address: null,
          status: 'read',
          readAt: '2026-01-01T00:00:00Z',
          how: 'bundle n1.bundle',
          bundle: { file: 'n1.bundle', sha256 },
          facts: nodeFacts(bundle),
        },
        { name: 'n2', address: null, status: 'error', reason: 'connection refused' },
      ],
    })
    return folder({ 'n1.bundle': text, 'inventory.yaml': stringify(inventory) })
  }

  it('carries what only the machine knows, and prints no secret', async () => {
    const cwd = collected()
    const { exit, io } = await run(cwd, { inventory: 'inventory.yaml', node: 'n1' })
    expect(exit).toBe(0)
    const text = readFileSync(join(cwd, 'out/n1/user-data'), 'utf8')
    const seed = parse(text) as {
      ssh_keys: Record<string, string>
      users: { ssh_authorized_keys: string[] }[]
    }
    expect(Object.keys(seed.ssh_keys)).toEqual(['ed25519_private', 'ed25519_public'])
    expect(seed.users[0]?.ssh_authorized_keys).toEqual(['ssh-ed25519 AAAA me@laptop'])
    for (const secret of [canaries.nodePassword, canaries.registry, canaries.token, canaries.hostKey])
      expect(text).toContain(secret)
    for (const secret of Object.values(canaries)) expect(io.stdout() + io.stderr()).not.toContain(secret)
    const network = parse(readFileSync(join(cwd, 'out/n1/network-config'), 'utf8')) as object
    expect(network).toMatchObject({ ethernets: { eth0: { match: { macaddress: '52:54:00:00:00:01' } } } })
  })

  it('ends with 3 when a node could not be read, and says so in its row', async () => {
    const { exit, io } = await run(collected(), { inventory: 'inventory.yaml' })
    expect(exit).toBe(3)
    expect(io.stdout()).toMatch(/^n2 +debian +0 +could not be read: connection refused$/m)
  })

  it('names the nodes there are when asked for another', async () => {
    expect(await failure(collected(), { inventory: 'inventory.yaml', node: 'n9' })).toMatchObject({
      exitCode: 64,
      hint: 'nodes: n1, n2',
    })
  })

  it('refuses a bundle that is not the one the inventory was made from', async () => {
    expect(
      await failure(collected({ sha256: '0'.repeat(64) }), { inventory: 'inventory.yaml' }),
    ).toMatchObject({
      exitCode: 65,
    })
  })
})
