import type { HostModel } from '../../src/core/host/model.ts'
import { hostKeyFiles } from './host-keys.ts'
import { rootFile, type RootFile } from './root-file.ts'

/** Host name, host keys and who may log in, as files: for systems that no cloud-init sets up. */
export function accessFiles(host: HostModel): RootFile[] {
  return [
    ...(host.hostname === null
      ? []
      : [rootFile('/etc/hostname', `${host.hostname.value}\n`, { from: host.hostname.from })]),
    ...sshFiles(host),
  ]
}

/**
 * The host name, where installers take it; some stop at a name that is none by the rules of the Internet. The name of the
 * node arrives afterwards, whatever it is.
 */
export function installerName({ hostname }: HostModel, otherwise: string): string {
  const name = hostname?.value ?? otherwise
  return /^[a-zA-Z0-9](?:[a-zA-Z0-9.-]{0,61}[a-zA-Z0-9])?$/.test(name) ? name : otherwise
}

/** Host keys and who may log in, for systems that have a word for it. */
export function sshFiles(host: HostModel): RootFile[] {
  return [
    ...hostKeyFiles(host),
    // k3OS's sshd takes keys only. The first value counts, so the name comes early.
    rootFile('/etc/ssh/sshd_config.d/10-k3os.conf', 'PasswordAuthentication no\nPermitRootLogin no\n', {
      mode: 0o600,
    }),
  ]
}

/** k3OS lets its one user do everything without a password. */
export function sudoersFile(host: HostModel): RootFile {
  return rootFile('/etc/sudoers.d/90-k3os', `${host.user.name} ALL=(ALL) NOPASSWD:ALL\n`, { mode: 0o440 })
}
