import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import type { ScenarioNode } from '../../src/simulation/scenario.ts'
import { vmParts } from './vm-disk.ts'

export const firmwareVariables = '/usr/share/OVMF/OVMF_VARS_4M.fd'
const firmwareFile = '/usr/share/OVMF/OVMF_CODE_4M.fd'

const needed: readonly (readonly [file: string, debianPackage: string])[] = [
  ['/usr/bin/qemu-system-x86_64', 'qemu-system-x86'],
  ['/usr/bin/qemu-img', 'qemu-utils'],
  [firmwareFile, 'ovmf'],
  ['/usr/lib/grub/i386-pc/loadenv.mod', 'grub-pc-bin'],
  ['/usr/lib/grub/x86_64-efi/loadenv.mod', 'grub-efi-amd64-bin'],
  ['/usr/bin/mcopy', 'mtools'],
  ['/usr/sbin/mkfs.vfat', 'dosfstools'],
  ['/usr/sbin/sfdisk', 'fdisk'],
  ['/usr/bin/ssh', 'openssh-client'],
]

/** Why no machine can be started here, with what to run; undefined when one can. */
export function missingForVm(): string | undefined {
  if (process.arch !== 'x64') return 'the lab of virtual machines is for x86-64 only'
  if (process.getuid?.() !== 0) return 'the lab of virtual machines needs root (owners of files on disks)'
  const packages = needed.filter(([file]) => !existsSync(file)).map(([, name]) => name)
  if (packages.length > 0)
    return `the lab of virtual machines is not complete: apt-get install ${packages.join(' ')}`
  const parts = vmParts()
  return existsSync(parts)
    ? undefined
    : `the parts of k3OS-shaped machines are not made (no ${parts}); run lab/vm.sh`
}

/** Of a machine's disk, for its monitor. */
export const diskName = 'disk'

export interface QemuMachine {
  readonly node: ScenarioNode
  /** The qcow2 file that is written to. */
  readonly layer: string
  /** File that gets a log of all writes to it (blklogwrites). */
  readonly writeLog: string | undefined
  readonly memoryMib: number
  readonly cores: number
  readonly watchdog: boolean
  /** For UEFI: the file with its variables. */
  readonly variables: string | undefined
  /** Socket of its monitor. */
  readonly monitor: string
  /** Port of the machine, and where it is reached on this computer. */
  readonly forwards: readonly (readonly [port: number, here: number])[]
}

export function qemuArguments(vm: QemuMachine): readonly string[] {
  const { address, gateway, machine } = vm.node
  const network = [
    'user',
    'id=net',
    'ipv6=off',
    // The machine gets its own address, and reaches this computer under the address of its router.
    `net=${gateway.replace(/\d+$/, '0')}/24`,
    `host=${gateway}`,
    `dns=${gateway.replace(/\d+$/, '253')}`,
    `dhcpstart=${address}`,
    ...vm.forwards.map(([port, here]) => `hostfwd=tcp:127.0.0.1:${here}-${address}:${port}`),
  ]
  const card = /^e1000e?$/.test(machine.driver) ? machine.driver : 'virtio-net-pci'
  const serial = machine.uuid.slice(0, 8)
  const watchdog = [
    ['-device', 'i6300esb'],
    ['-action', 'watchdog=reset'],
  ]
  const uefi = [
    ['-drive', `if=pflash,unit=0,format=raw,readonly=on,file=${firmwareFile}`],
    ['-drive', `if=pflash,unit=1,format=raw,file=${vm.variables}`],
  ]
  return [
    ['-machine', 'q35'],
    ['-accel', 'tcg,thread=multi'],
    ['-cpu', 'qemu64'],
    ['-smp', String(vm.cores)],
    ['-m', String(vm.memoryMib)],
    ['-display', 'none'],
    ['-monitor', 'none'],
    ['-serial', 'stdio'],
    ['-qmp', `unix:${vm.monitor},server=on,wait=off`],
    ['-uuid', machine.uuid],
    ['-smbios', `type=1,manufacturer=QEMU,product=${machine.board},serial=${serial}`],
    ['-drive', `${drive(vm)},if=none,id=${diskName},cache=writeback`],
    ['-device', `ide-hd,drive=${diskName},bus=ide.0,serial=S${serial}`],
    ['-netdev', network.join(',')],
    ['-device', `${card},netdev=net,mac=${machine.mac}`],
    ['-device', 'virtio-rng-pci'],
    ...(vm.watchdog ? watchdog : []),
    ...(vm.variables === undefined ? [] : uefi),
  ].flat()
}

function drive({ layer, writeLog }: QemuMachine): string {
  return writeLog === undefined
    ? `file=${layer},format=qcow2`
    : `driver=blklogwrites,file.driver=qcow2,file.file.driver=file,file.file.filename=${layer},log.driver=file,log.filename=${writeLog},log-sector-size=512`
}

/** QEMU takes connections for the machine at once; only a banner shows that somebody is there. */
export async function hasSshBanner(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(port, '127.0.0.1')
  socket.setTimeout(3_000, () => resolve(false))
  socket.on('data', (data) => resolve(data.toString('latin1').startsWith('SSH-')))
  socket.on('error', () => resolve(false))
  socket.on('close', () => resolve(false))
  try {
    return await promise
  } finally {
    socket.destroy()
  }
}

/** One command of QEMU's monitor (QMP). */
export async function askMonitor(
  socketFile: string,
  command: string,
  args: Readonly<Record<string, string>> = {},
): Promise<void> {
  const socket = connect(socketFile)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let text = ''
  socket.on('error', reject)
  socket.on('data', (data) => {
    text += data.toString()
    // One answer to the greeting, one to the command.
    if ((text.match(/"return"/g)?.length ?? 0) >= 2) resolve()
    else if (text.includes('"error"')) reject(new Error(`QEMU refused ${command}: ${text}`))
  })
  await once(socket, 'connect')
  socket.write(`{"execute":"qmp_capabilities"}\n${JSON.stringify({ execute: command, arguments: args })}\n`)
  try {
    await promise
  } finally {
    socket.destroy()
  }
}
