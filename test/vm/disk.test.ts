import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requirePart } from '../support/require-part.ts'
import { vmScenario } from '../support/vm-scenario.ts'
import { missingForVm, startVmLab, type DiskOptions, type VmLab } from '../support/vm.ts'

const skip = requirePart('VM', missingForVm())

interface Table {
  readonly label: string
  readonly partitions: readonly {
    readonly start: number
    readonly type: string
    readonly bootable?: boolean
  }[]
}

/** Without starting it: what lies where. */
describe.skipIf(skip)('a disk as k3OS leaves it', () => {
  let lab: VmLab
  beforeAll(() => {
    lab = startVmLab()
  })
  afterAll(async () => {
    await lab.stop()
  })

  async function make(options: DiskOptions): Promise<{ file: string; table: Table }> {
    const { file } = await lab.makeDisk(vmScenario(), 'vm-agent', options)
    const text = execFileSync('/usr/sbin/sfdisk', ['-J', file], { encoding: 'utf8' })
    return { file, table: (JSON.parse(text) as { partitiontable: Table }).partitiontable }
  }

  function state(file: string, startSector: number): string {
    const device = `${file}?offset=${startSector * 512}`
    execFileSync('/usr/sbin/e2fsck', ['-fn', device], { stdio: 'ignore' })
    return execFileSync('/usr/sbin/dumpe2fs', ['-h', device], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  }

  test('BIOS: one bootable partition in an MSDOS table, with GRUB before it', async () => {
    const { file, table } = await make({ firmware: 'bios' })
    expect(table).toMatchObject({ label: 'dos', partitions: [{ start: 2048, type: '83', bootable: true }] })
    expect(state(file, 2048)).toMatch(/^Filesystem volume name: +K3OS_STATE$/m)
    const firstSectors = execFileSync('head', ['-c', '65536', file])
    expect(firstSectors.includes('GRUB')).toBe(true)
  })

  test('UEFI: an EFI partition with the fallback program, and STATE', async () => {
    const { file, table } = await make({ firmware: 'uefi' })
    expect(table).toMatchObject({
      label: 'gpt',
      partitions: [
        { start: 2048, type: 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B' },
        { start: 98304, type: '0FC63DAF-8483-4772-8E79-3D69D8477DE4' },
      ],
    })
    expect(state(file, 98304)).toMatch(/^Filesystem volume name: +K3OS_STATE$/m)
    const listing = execFileSync('mdir', ['-b', '-i', `${file}@@1048576`, '::/EFI/BOOT'], {
      encoding: 'utf8',
    })
    expect(listing).toContain('BOOTX64.EFI')
    expect(execFileSync('mlabel', ['-s', '-i', `${file}@@1048576`, '::'], { encoding: 'utf8' })).toContain(
      'K3OS_GRUB',
    )
  })

  test('of 2019: small blocks and inodes, grown to the end of the disk, and no feature of later years', async () => {
    const { file, table } = await make({ firmware: 'bios', age: '2019' })
    expect(statSync(file).size).toBe(6144 * 2 ** 20)
    const said = state(file, table.partitions[0]?.start ?? 0)
    expect(said).toMatch(/^Block size: +1024$/m)
    expect(said).toMatch(/^Inode size:\s+128$/m)
    expect(said).not.toMatch(/metadata_csum_seed|orphan_file/)
    expect(Number(/^Block count: +(\d+)$/m.exec(said)?.[1])).toBeGreaterThan(6_000_000)
  })
})
