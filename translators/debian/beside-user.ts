import type { HostModel } from '../../src/core/host/model.ts'
import type { TranslateTools } from '../../src/core/translation.ts'
import { accessFiles, sudoersFile } from '../linux/access.ts'
import { hostKeys } from '../linux/host-keys.ts'
import { passwordParts } from '../linux/password.ts'
import { rootFile, type RootFile } from '../linux/root-file.ts'

interface Access {
  readonly files: readonly RootFile[]
  readonly units: readonly string[]
}

/** The one user with k3OS's number, made by systemd-sysusers at the first boot, and all ways in: nothing has to run before. */
export function accessParts(host: HostModel, tools: TranslateTools): Access {
  const { name, uid, authorizedKeys } = host.user
  const password = passwordParts(host, tools)
  // Keys that somebody put on the node lie in its home, which comes with k3OS's data: removing one there must lock it out.
  const configured = authorizedKeys.filter(({ from }) => from.length > 0)
  return {
    files: [
      ...accessFiles(host),
      sudoersFile(host),
      rootFile(
        '/etc/sysusers.d/k3os.conf',
        `g ${name} ${uid}\nu ${name} ${uid}:${uid} "k3OS user" /home/${name} /bin/bash\n`,
      ),
      ...sysusersService(host),
      rootFile('/etc/tmpfiles.d/k3os-home.conf', `d /home/${name} - ${name} ${name} -\n`),
      ...password.files,
      ...hostsFile(host),
      rootFile(
        '/etc/ssh/sshd_config.d/11-k3os-keys.conf',
        'AuthorizedKeysFile .ssh/authorized_keys /etc/ssh/authorized_keys.d/%u\n',
      ),
      ...(configured.length === 0
        ? []
        : [
            rootFile(
              `/etc/ssh/authorized_keys.d/${name}`,
              configured.map(({ value }) => `${value.replaceAll(/[\r\n]+/g, ' ')}\n`).join(''),
              { from: configured.flatMap(({ from }) => from) },
            ),
          ]),
      ...newHostKeys(host),
    ],
    units: password.units,
  }
}

/**
 * The service runs at each boot, not only while /etc counts as older than /usr, and gets the hash by the name that it looks
 * for. A user that is there stays as it is.
 */
function sysusersService({ user: { name, password } }: HostModel): RootFile[] {
  const credential = `passwd.hashed-password.${name}`
  const path = `/etc/credstore/${credential}`
  const isHash = password?.encrypted === true
  return [
    rootFile(
      '/etc/systemd/system/systemd-sysusers.service.d/k3os.conf',
      `[Unit]\nConditionNeedsUpdate=\n${isHash ? `\n[Service]\nLoadCredential=${credential}:${path}\n` : ''}`,
    ),
    ...(isHash ? [rootFile(path, password.value, { mode: 0o600, from: password.from })] : []),
  ]
}

/** What the configuration has under this path is carried as it is. */
function hostsFile({ hostname, files }: HostModel): RootFile[] {
  if (hostname === null || files.some(({ path }) => path === '/etc/hosts')) return []
  const lines = [
    '127.0.0.1 localhost',
    `127.0.1.1 ${hostname.value}`,
    '::1 localhost ip6-localhost ip6-loopback',
    'ff02::1 ip6-allnodes',
    'ff02::2 ip6-allrouters',
  ]
  return [rootFile('/etc/hosts', lines.map((line) => `${line}\n`).join(''), { from: hostname.from })]
}

/** Debian makes host keys when the package is installed, or at a first boot: here is neither. */
function newHostKeys(host: HostModel): RootFile[] {
  if (hostKeys(host).length > 0) return []
  return [
    rootFile(
      '/etc/systemd/system/ssh.service.d/k3os-host-keys.conf',
      '[Service]\nExecStartPre=\nExecStartPre=/usr/bin/ssh-keygen -A\nExecStartPre=/usr/sbin/sshd -t\n',
    ),
  ]
}
