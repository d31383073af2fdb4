import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { changedGrubEnvironment, readGrubEnvironment } from '../../src/core/in-place/grubenv.ts'
import { entryNames } from '../../src/core/in-place/grub-cfg.ts'
import { sh } from '../../src/core/shell.ts'
import { requirePart } from '../support/require-part.ts'
import { vmScenario } from '../support/vm-scenario.ts'
import { flushPoints } from '../support/write-log.ts'
import { missingForVm, startVmLab, type Vm, type VmLab } from '../support/vm.ts'

const skip = requirePart('VM', missingForVm())
const script = readFileSync(new URL('../../templates/in-place/node.sh', import.meta.url), 'utf8')
const bootMs = 240_000
const id = 'tree-1'
const names = entryNames(id)
const newMenu = `set default=0\n${'# a menu that takes more than one block\n'.repeat(300)}`
const kernel = createHash('sha256').update('a kernel\n').digest('hex')

describe.skipIf(skip)(
  'the disk after a power cut at any flush, without its journal, as GRUB reads it',
  () => {
    let lab: VmLab
    let vm: Vm
    /** Length of the log when each command had answered. */
    const answered = new Map<string, number>()
    let log: string
    let image: string
    let oldMenu: string
    beforeAll(async () => {
      lab = startVmLab()
      log = join(lab.directory, 'writes.log')
      image = join(lab.directory, 'replayed.img')
      writeFileSync(log, '')
      const disk = await lab.makeDisk(vmScenario(), 'vm-agent', { menuSeconds: 1 })
      execFileSync('cp', ['--sparse=always', disk.file, image])
      vm = await lab.start(disk, { writeLog: log })
      await vm.waitForConsole(/READY/, bootMs)
      oldMenu = (await vm.ssh('cat /boot/grub/grub.cfg')).stdout
      const node = async (words: readonly string[], input: string | Buffer = ''): Promise<string> => {
        const command = ['sudo', 'sh', '-c', script, 'sh', ...words].map(sh).join(' ')
        const isBinary = typeof input !== 'string'
        const text = isBinary ? input.toString('base64') : input
        const { code, stdout, stderr } = await vm.ssh(isBinary ? `base64 -d | ${command}` : command, {
          input: text,
        })
        if (code !== 0) throw new Error(`${words.join(' ')}: ${stderr}`)
        return stdout
      }
      const mark = (name: string): void => {
        answered.set(name, statSync(log).size)
      }
      const arm = async (changes: Record<string, string>): Promise<void> => {
        const now = new TextEncoder().encode(await node(['environment']))
        await node(['arm'], new TextDecoder().decode(changedGrubEnvironment(now, changes)))
      }
      await node(['unpack', id], smallTree(lab))
      mark('unpack')
      await node(['menu'], newMenu)
      mark('menu')
      await arm({ next_entry: names.trial })
      mark('arm')
      await arm({ next_entry: '', saved_entry: names.settled })
      mark('confirm')
      await vm.cut()
    }, 600_000)
    afterAll(async () => {
      await lab.stop()
    })

    /** What GRUB would read after a cut at each flush point. */
    const seen: Seen[] = []

    test('has a whole menu, and what it names', () => {
      for (const { at } of flushPoints(image, log)) seen.push({ at, ...look() })
      const broken = seen.filter(
        ({ menu, isArmed, hasKernel }) => menu === 'neither' || (isArmed && !(menu === 'new' && hasKernel)),
      )
      process.stderr.write(`${seen.length} flush points, ${broken.length} of them broken\n`)
      expect(broken).toEqual([])
      expect(seen.length).toBeGreaterThan(10)
    }, 600_000)

    // A cut right after the answer loses everything since the last flush.
    test.each<readonly [string, Partial<Seen>]>([
      ['unpack', { hasKernel: true, menu: 'old' }],
      ['menu', { hasKernel: true, menu: 'new', isArmed: false }],
      ['arm', { next: names.trial }],
      ['confirm', { next: '', settled: names.settled }],
    ])('has what %s has answered for', (name, wanted) => {
      const last = seen.findLast(({ at }) => at <= (answered.get(name) ?? 0))
      expect(last).toMatchObject(wanted)
    })

    function look(): Omit<Seen, 'at'> {
      const menu = onDisk('/boot/grub/grub.cfg')
      const block = readGrubEnvironment(Buffer.from(onDisk('/boot/grub/grubenv'), 'latin1'))
      const [next, settled] = [block.get('next_entry') ?? '', block.get('saved_entry') ?? '']
      return {
        menu: menu === newMenu ? 'new' : menu === oldMenu ? 'old' : 'neither',
        next,
        settled,
        isArmed: next !== '' || settled !== '',
        hasKernel:
          createHash('sha256')
            .update(onDisk(`/os/${id}/boot/kernel`))
            .digest('hex') === kernel,
      }
    }

    function onDisk(path: string): string {
      // The installer's partition begins at 1 MiB. No journal is replayed.
      // As GRUB, which looks neither at what is free nor at checksums.
      const command = ['-c', '-n', '-R', `cat ${path}`, `${image}?offset=1048576`]
      return execFileSync('debugfs', command, { encoding: 'latin1', stdio: ['ignore', 'pipe', 'ignore'] })
    }
  },
)

interface Seen {
  readonly at: number
  readonly menu: 'old' | 'new' | 'neither'
  readonly next: string
  readonly settled: string
  readonly isArmed: boolean
  readonly hasKernel: boolean
}

function smallTree(lab: VmLab): Buffer {
  const root = join(lab.directory, 'tree')
  const make = `mkdir -p "$1"/boot "$1"/sbin "$1"/state && cd "$1" && echo 'a kernel' >boot/kernel && ln -s boot/kernel vmlinuz && echo i >initrd.img && : >sbin/init && head -c 4000000 /dev/urandom >payload`
  execFileSync('sh', ['-c', make, 'sh', root])
  return execFileSync('tar', ['-C', root, '-cf', '-', '.'], { maxBuffer: 64 * 2 ** 20 })
}
