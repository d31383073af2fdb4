import type { HostModel } from '../../src/core/host/model.ts'
import { k3sPaths } from '../../src/core/k3s/paths.ts'
import { noncePath } from '../../src/core/node-paths.ts'
import { cgroupArguments, grubDropIn } from './cgroup.ts'
import { rootFile, type RootFile } from './root-file.ts'
import { environmentLine, tmpfilesPath } from './systemd.ts'

/** Kernel settings, modules, fallback servers, variables: what is a small file of its own on Debian. */
export function systemFiles(host: HostModel, nonce: string | null): RootFile[] {
  const configured = host.sysctls.filter((sysctl) => sysctl.from.length > 0)
  const defaults = host.sysctls.filter((sysctl) => sysctl.from.length === 0)
  const parameters = host.modules.filter((module) => module.parameters.length > 0)
  return [
    ...(nonce === null ? [] : [rootFile(noncePath, `${nonce}\n`)]),
    ...lines('/etc/modules-load.d/k3os.conf', host.modules, (module) => module.value),
    ...lines(
      '/etc/modprobe.d/k3os.conf',
      parameters,
      (module) => `options ${module.value} ${module.parameters.join(' ')}`,
    ),
    ...lines('/etc/sysctl.d/80-k3os-defaults.conf', defaults, sysctlLine),
    ...lines('/etc/sysctl.d/90-k3os.conf', configured, sysctlLine),
    ...servers(
      '/etc/systemd/resolved.conf.d/90-k3os.conf',
      '[Resolve]\nFallbackDNS',
      host.fallbackNameservers,
    ),
    ...servers('/etc/systemd/timesyncd.conf.d/90-k3os.conf', '[Time]\nFallbackNTP', host.fallbackTimeservers),
    ...lines('/etc/environment', host.environment, ({ name, value }) => environmentLine(name, value)),
    ...(host.k3s.needsCgroupV1 ? [rootFile(grubDropIn.path, grubDropIn.content)] : []),
    ...wifiName(host),
    ...k3sLinks(host),
  ]
}

/** Kernel arguments that whoever boots the system must give. */
export function kernelArguments(host: HostModel): readonly string[] {
  return host.k3s.needsCgroupV1 ? cgroupArguments : []
}

type Entry = { readonly from: readonly string[] }

function lines<T extends Entry>(path: string, entries: readonly T[], line: (entry: T) => string): RootFile[] {
  if (entries.length === 0) return []
  const text = entries.map((entry) => `${line(entry)}\n`).join('')
  return [rootFile(path, text, { from: entries.flatMap((entry) => entry.from) })]
}

/** sysctl.d(5) reads dots and slashes; an interface name with a dot in it needs the slashes. */
function sysctlLine({ key, file, value }: HostModel['sysctls'][number]): string {
  return `${file === key.replaceAll('.', '/') && !key.includes('/') ? key : file} = ${value}`
}

function servers(path: string, key: string, list: HostModel['fallbackNameservers']): RootFile[] {
  if (list.length === 0) return []
  const text = `${key}=${list.map((server) => server.value).join(' ')}\n`
  return [rootFile(path, text, { from: list.flatMap((server) => server.from) })]
}

/** networkd takes no wifi port by MAC, so the port gets the name that the network configuration uses. */
function wifiName(host: HostModel): RootFile[] {
  const { wifi } = host.network
  if (wifi === null) return []
  const match = wifi.mac === null ? 'Type=wlan' : `PermanentMACAddress=${wifi.mac}`
  return [
    rootFile(
      '/etc/systemd/network/10-k3os-wifi.link',
      `[Match]\n${match}\n\n[Link]\nName=${wifi.name ?? 'wlan0'}\n`,
    ),
  ]
}

/** k3OS has kubectl, crictl and ctr as links to k3s. */
function k3sLinks(host: HostModel): RootFile[] {
  if (host.k3s.role === 'none') return []
  const folder = k3sPaths.binary.slice(0, k3sPaths.binary.lastIndexOf('/'))
  const links = ['kubectl', 'crictl', 'ctr'].map(
    (name) => `L ${tmpfilesPath(`${folder}/${name}`)} - - - - k3s\n`,
  )
  return [rootFile('/etc/tmpfiles.d/k3os-links.conf', links.join(''))]
}
