import { readFileSync } from 'node:fs'
import { utf8Encode } from '../core/k3os/bytes.ts'
import { tar } from '../core/tar.ts'

// The same distance from `src/adapters` and from the chunks that the build makes, beside which it puts a copy.
const folder = new URL('../../templates/in-place/', import.meta.url)

/** Programs of ours in a root tree, by their place in it. */
const programs = {
  'etc/initramfs-tools/hooks/k3os-migrate': 'initramfs-hook.sh',
  'etc/initramfs-tools/scripts/init-premount/k3os-migrate': 'initramfs-watchdog.sh',
  'etc/initramfs-tools/scripts/local-bottom/k3os-migrate': 'initramfs-root.sh',
  'etc/initramfs/post-update.d/zz-k3os-migrate': 'kernel-hook.sh',
  'etc/kernel/postinst.d/zz-k3os-migrate': 'kernel-hook.sh',
  'etc/kernel/postrm.d/zz-k3os-migrate': 'kernel-hook.sh',
  'usr/lib/k3os-migrate/deadline': 'deadline.sh',
  'usr/lib/k3os-migrate/forget': 'forget.sh',
  'usr/lib/k3os-migrate/gate': 'gate.sh',
  'usr/lib/k3os-migrate/kernel': 'kernel.sh',
}

const settings = {
  // The root is mounted by the initial RAM disk; everything else has units of its own.
  'etc/fstab': '',
  // Whatever disk and network card the machine has: it is not known which one it is made for.
  'etc/initramfs-tools/conf.d/k3os-migrate': 'MODULES=most\nCOMPRESS=zstd\n',
  // Containers, volumes and logs share STATE.
  'etc/systemd/journald.conf.d/k3os-migrate.conf': '[Journal]\nSystemMaxUse=200M\n',
  // k3OS never feeds a watchdog: one that is left running at a restart would end k3OS.
  'etc/systemd/system.conf.d/k3os-migrate.conf': '[Manager]\nRebootWatchdogSec=off\n',
  // Without an age: what k3OS kept there stays.
  'etc/tmpfiles.d/tmp.conf': 'q /tmp 1777 root root -\nq /var/tmp 1777 root root -\n',
}

/** A tar archive of what is laid over the packages of every root tree, before the kernel's initial RAM disk is made. */
export function treeOverlay(): Uint8Array {
  const bytesOf = (name: string): Uint8Array => readFileSync(new URL(name, folder))
  return tar([
    ...Object.entries(settings).map(([path, text]) => ({
      path,
      mode: 0o644,
      owner: '0:0',
      content: utf8Encode(text),
    })),
    ...Object.entries(programs).map(([path, name]) => ({
      path,
      mode: 0o755,
      owner: '0:0',
      content: bytesOf(name),
    })),
  ])
}
