import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeTree } from '../../../src/adapters/image/root-trees.ts'
import { imageBuild } from '../../../src/commands/image-build.ts'
import { exitCode } from '../../../src/core/errors.ts'
import { treeManifestSchema, type TreeManifest } from '../../../src/core/image/root-tree.ts'
import { recordingIo } from '../../support/recording-io.ts'
import { requirePart } from '../../support/require-part.ts'

// Whole builds from an image that the lab makes in the shape of Debian's own (lab/cloud-image.sh): many minutes.

const long = process.env['K3OS_MIGRATE_LONG'] === '1'
const script = fileURLToPath(new URL('../../../lab/cloud-image.sh', import.meta.url))
const missing = existsSync('/usr/bin/mmdebstrap')
  ? undefined
  : 'there is no mmdebstrap: apt-get install mmdebstrap'
const skip = !long || requirePart('MMDEBSTRAP', missing)

const scratch = mkdtempSync(join(tmpdir(), 'k3os-cloud-image-'))
afterAll(() => {
  rmSync(scratch, { recursive: true })
})

describe.skipIf(skip).each([
  ['trixie', '13'],
  ['bookworm', '12'],
] as const)('a root tree from a cloud image of %s', (release, number) => {
  const id = `debian-${number}-amd64-image-nofirmware`
  let image: string
  let manifest: TreeManifest
  let root: string

  async function build(name: string): Promise<TreeManifest> {
    const out = join(scratch, release, name)
    const io = recordingIo(scratch, { env: { PATH: process.env['PATH'], HOME: homedir() } })
    const wish = { target: 'debian', release, arch: 'amd64', firmware: false, output: 'table' } as const
    expect(await imageBuild({ ...wish, image, out }, io)).toBe(exitCode.ok)
    return treeManifestSchema.parse(JSON.parse(readFileSync(join(out, `${id}.manifest.json`), 'utf8')))
  }

  beforeAll(async () => {
    image = execFileSync(script, [release], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim()
    manifest = await build('first')
    root = mkdtempSync(join(scratch, 'root-'))
    execFileSync('tar', [
      '--zstd',
      '-xpf',
      join(scratch, release, 'first', manifest.archive.file),
      '-C',
      root,
    ])
  }, 3_600_000)

  test('is taken by a plan for a move in place', async () => {
    const file = join(scratch, release, 'first', `${id}.tar.zst`)
    const tree = await describeTree(file, new AbortController().signal)
    expect(tree.title).toBe(`Debian GNU/Linux ${number} (${release})`)
  })

  test('has the packages of a root tree, and nothing that writes a boot menu or sets up the machine', () => {
    const names = manifest.packages.map((each) => each.name)
    expect(names).toEqual(
      expect.arrayContaining(['linux-image-amd64', 'openssh-server', 'conntrack', 'iptables']),
    )
    expect(
      names.filter((name) => /^(grub|shim|cloud-|netplan|linux-image-.*cloud|unattended)/.test(name)),
    ).toEqual([])
    expect(names.filter((name) => /^linux-image-\d/.test(name))).toHaveLength(1)
  })

  test('boots its one kernel, by an initial RAM disk with the script that makes /os/ID the root', () => {
    const kernels = execFileSync('ls', [join(root, 'boot')], { encoding: 'utf8' }).match(/^vmlinuz-.*$/gm)
    expect(kernels).toEqual([readlinkSync(join(root, 'vmlinuz')).replace('boot/', '')])
    // By its own name: Debian 12's lsinitramfs does not follow links.
    const initrd = `/${readlinkSync(join(root, 'initrd.img'))}`
    const listed = execFileSync('chroot', [root, 'lsinitramfs', initrd], {
      maxBuffer: 64 * 2 ** 20,
    }).toString()
    expect(listed).toMatch(/^(\.\/)?scripts\/local-bottom\/k3os-migrate$/m)
    expect(listed).not.toContain('growroot')
  })

  test('is consistent for dpkg, and has nothing of the image that belongs to one machine', () => {
    expect(execFileSync('chroot', [root, 'dpkg', '--audit'], { encoding: 'utf8' })).toBe('')
    expect(readFileSync(join(root, 'etc/fstab'), 'utf8')).toBe('')
    for (const gone of ['boot/grub', 'boot/efi', 'etc/cloud', 'etc/netplan', 'etc/hostname'])
      expect(existsSync(join(root, gone))).toBe(false)
  })

  test('is the same, byte by byte, when it is built again', { timeout: 3_600_000 }, async () => {
    const second = await build('second')
    expect(second.image).toEqual(manifest.image)
    expect(second.archive).toEqual(manifest.archive)
  })
})
