import { probes } from '../../src/core/facts/probes.ts'
import { k3osNode, type NodeTree } from './k3os-node.ts'

const running = '5.4.0-1028-raspi'
/** The arm64 archive has brought a kernel since v0.8.0; a board that boots by its vendor's loader never runs it. */
const brought = '5.4.0-48-generic'

const disks = {
  blockdevices: [
    { name: 'loop0', type: 'loop', size: 320_000_000 },
    {
      name: 'mmcblk0',
      type: 'disk',
      size: 31_914_983_424,
      ro: false,
      serial: '0x1a2b3c4d',
      children: [
        {
          name: 'mmcblk0p1',
          type: 'part',
          size: 268_435_456,
          fstype: 'vfat',
          label: 'system-boot',
          uuid: '4D3B-86C0',
        },
        {
          name: 'mmcblk0p2',
          type: 'part',
          size: 31_645_499_904,
          fstype: 'ext4',
          label: 'writable',
          uuid: '79af43d1-801b-4c28-81d5-724c930bcc83',
          mountpoint: '/',
        },
      ],
    },
  ],
}

/**
 * An agent on a Raspberry Pi 4: `k3os-rootfs-arm64.tar.gz` unpacked over Ubuntu, whose boot loader, kernel and files stay
 * (rancher/k3os README.md, "ARM Overlay Installation").
 */
export function overlayNode(): NodeTree {
  const gone = [
    '/boot/grub/grub.cfg',
    '/k3os/system/kernel/5.4.0-88-generic/kernel.squashfs',
    '/k3os/system/kernel/5.4.0-88-generic/initrd',
    '/sys/class/dmi/id/sys_vendor',
    '/sys/class/dmi/id/product_name',
    '/sys/class/dmi/id/product_uuid',
    '/sys/bus/pci/devices/0000:00:1f.6/uevent',
  ]
  return k3osNode({
    files: {
      ...Object.fromEntries(gone.map((path) => [path, undefined])),
      [`/k3os/system/kernel/${brought}/kernel.squashfs`]: 'squashfs',
      [`/k3os/system/kernel/${brought}/initrd`]: 'cpio',
      '/sys/firmware/devicetree/base/model': 'Raspberry Pi 4 Model B Rev 1.2\0',
      '/proc/cmdline':
        'coherent_pool=1M 8250.nr_uarts=1 console=ttyS0,115200 console=tty1 root=LABEL=writable rootfstype=ext4 rootwait\n',
      '/proc/cpuinfo': [
        ...[0, 1, 2, 3].flatMap((core) => [
          `processor\t: ${core}`,
          'BogoMIPS\t: 108.00',
          'Features\t: fp asimd evtstrm crc32 cpuid',
          'CPU implementer\t: 0x41',
          '',
        ]),
        'Hardware\t: BCM2835',
        'Model\t\t: Raspberry Pi 4 Model B Rev 1.2',
        '',
      ].join('\n'),
      '/proc/mounts': [
        '/dev/mmcblk0p2 /.base ext4 rw,relatime 0 0',
        '/dev/mmcblk0p2 / ext4 rw,relatime 0 0',
        '/dev/loop0 /usr squashfs ro,relatime 0 0',
        'tmpfs /sys/fs/cgroup tmpfs rw 0 0',
        'cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0',
        '',
      ].join('\n'),
    },
    links: {
      '/k3os/system/kernel/current': brought,
      '/sys/class/net/eth0/device/driver': '../../../bus/platform/drivers/bcmgenet',
    },
    commands: {
      [probes.kernel]: `${running}\n`,
      [probes.machine]: 'aarch64\n',
      [probes.disks]: JSON.stringify(disks),
      [probes.stateSpace]:
        'Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/mmcblk0p2 30000000 9000000 19600000 32% /\n',
    },
  })
}
