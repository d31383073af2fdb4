import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { imageBuild } from '../../../src/commands/image-build.ts'
import { exitCode } from '../../../src/core/errors.ts'
import { treeManifestSchema, type TreeManifest } from '../../../src/core/image/root-tree.ts'
import { recordingIo } from '../../support/recording-io.ts'
import { requirePart } from '../../support/require-part.ts'

const missing = existsSync('/usr/bin/mmdebstrap')
  ? undefined
  : 'there is no mmdebstrap: apt-get install mmdebstrap'
const skip = requirePart('MMDEBSTRAP', missing)

const scratch = mkdtempSync(join(tmpdir(), 'k3os-image-'))
afterAll(() => {
  rmSync(scratch, { recursive: true })
})

const options = {
  target: 'debian',
  release: 'trixie',
  arch: 'amd64',
  firmware: false,
  output: 'table',
} as const
// The cache of this user: what an earlier run downloaded is not downloaded again.
const env = { PATH: process.env['PATH'], HOME: homedir() }

async function build(name: string): Promise<TreeManifest> {
  const out = join(scratch, name)
  const io = recordingIo(scratch, { env })
  expect(await imageBuild({ ...options, out }, io)).toBe(exitCode.ok)
  const text = readFileSync(join(out, 'debian-13-amd64-nofirmware.manifest.json'), 'utf8')
  return treeManifestSchema.parse(JSON.parse(text))
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}

describe.skipIf(skip)('a root tree from real packages', () => {
  let manifest: TreeManifest
  let root: string

  beforeAll(async () => {
    manifest = await build('first')
    root = join(scratch, 'root')
    mkdirSync(root)
    execFileSync('tar', ['--zstd', '-xpf', join(scratch, 'first', manifest.archive.file), '-C', root])
  }, 900_000)

  test('is checked by what lies beside it', () => {
    expect(() =>
      execFileSync('sha256sum', ['--check', '--strict', `${manifest.id}.sha256`], {
        cwd: join(scratch, 'first'),
      }),
    ).not.toThrow()
  })

  test('boots by links that stay inside it, of the same kernel', () => {
    const link = (name: string): string => readlinkSync(join(root, name))
    expect([link('vmlinuz'), link('initrd.img')]).toEqual([
      expect.stringMatching(/^boot\/vmlinuz-\S+$/),
      link('vmlinuz').replace('vmlinuz', 'initrd.img'),
    ])
    expect(existsSync(join(root, link('vmlinuz')))).toBe(true)
  })

  test('has an initial RAM disk with the script that makes /os/ID the root', () => {
    const listed = execFileSync('chroot', [root, 'lsinitramfs', '/initrd.img'], {
      maxBuffer: 64 * 2 ** 20,
    }).toString()
    expect(listed).toMatch(/^(\.\/)?scripts\/local-bottom\/k3os-migrate$/m)
    expect(listed).toMatch(/\/ext4\.ko/)
  })

  test('has nothing that belongs to one machine, and no lists of packages', () => {
    const found = execFileSync(
      'find',
      [root, '-path', '*/etc/ssh/ssh_host_*', '-o', '-path', '*/var/lib/apt/lists/*_*'],
      { maxBuffer: 2 ** 20 },
    ).toString()
    expect(found).toBe('')
    expect(readFileSync(join(root, 'etc/machine-id'), 'utf8')).toBe('')
    expect(existsSync(join(root, 'etc/hostname'))).toBe(false)
    expect(readlinkSync(join(root, 'etc/resolv.conf'))).toBe('../run/systemd/resolve/stub-resolv.conf')
  })

  test('has neither GRUB nor cloud-init among its packages, whose versions are named', () => {
    const names = manifest.packages.map(({ name }) => name)
    expect(names.filter((name) => /grub|cloud-init/.test(name))).toEqual([])
    expect(names).toEqual(expect.arrayContaining(['systemd', 'openssh-server', 'conntrack']))
    expect(manifest.packages.filter(({ version }) => version === '')).toEqual([])
  })

  test('is described file by file', async () => {
    const shadow = manifest.files.find(({ path }) => path === 'etc/shadow')
    expect(shadow).toMatchObject({ mode: '0640', sha256: await digestOf(join(root, 'etc/shadow')) })
    const gate = manifest.files.find(({ path }) => path === 'usr/lib/k3os-migrate/gate')
    expect(gate?.mode).toBe('0755')
  })

  test('is the same, byte by byte, when it is built again', { timeout: 900_000 }, async () => {
    expect((await build('second')).archive).toEqual(manifest.archive)
  })
})

describe.skipIf(skip)('a build that cannot be', () => {
  const fails = async (changes: object): Promise<unknown> => {
    const out = join(scratch, 'none')
    try {
      return await imageBuild({ ...options, out, ...changes }, recordingIo(scratch, { env }))
    } catch (error) {
      return error
    }
  }

  test('says that the mirror does not answer', async () => {
    expect(await fails({ mirror: 'http://127.0.0.1:9/debian' })).toMatchObject({
      exitCode: exitCode.io,
      message: expect.stringContaining('the mirror does not answer') as unknown,
    })
  })
})

test.skipIf(skip)('a machine without mmdebstrap is told how to get it', async () => {
  const io = recordingIo(scratch, { env: { PATH: scratch } })
  await expect(imageBuild({ ...options, out: scratch }, io)).rejects.toMatchObject({
    exitCode: exitCode.io,
    message: expect.stringContaining('mmdebstrap') as unknown,
    hint: expect.stringContaining('apt-get install mmdebstrap') as unknown,
  })
})
