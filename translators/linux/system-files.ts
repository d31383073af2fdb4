import type { HostModel, Traced } from '../../src/core/host/model.ts'
import { noncePath } from '../../src/core/node-paths.ts'
import { rootFile, type RootFile } from './root-file.ts'
import type { LinuxSystem } from './system.ts'
import { environmentLine, tmpfilesPath } from './systemd.ts'

/** Kernel settings, modules, fallback servers, variables: what is a small file of its own on a system with systemd. */
export function systemFiles(host: HostModel, system: LinuxSystem, nonce: string | null): RootFile[] {
  return [
    ...nonceFile(nonce),
    ...kernelFiles(host),
    ...serverFiles(host, system),
    ...lines('/etc/environment', host.environment, ({ name, value }) => environmentLine(name, value)),
  ]
}

export function nonceFile(nonce: string | null): RootFile[] {
  return nonce === null ? [] : [rootFile(noncePath, `${nonce}\n`)]
}

/** Modules and sysctls, in files that systemd and OpenRC both read. */
export function kernelFiles(host: HostModel): RootFile[] {
  const configured = host.sysctls.filter((sysctl) => sysctl.from.length > 0)
  const defaults = host.sysctls.filter((sysctl) => sysctl.from.length === 0)
  const parameters = host.modules.filter((module) => module.parameters.length > 0)
  return [
    ...lines('/etc/modules-load.d/k3os.conf', host.modules, (module) => module.value),
    ...lines(
      '/etc/modprobe.d/k3os.conf',
      parameters,
      (module) => `options ${module.value} ${module.parameters.join(' ')}`,
    ),
    ...lines('/etc/sysctl.d/80-k3os-defaults.conf', defaults, sysctlLine),
    ...lines('/etc/sysctl.d/90-k3os.conf', configured, sysctlLine),
  ]
}

/** Name and time servers that k3OS only asks when the network gives none. */
export function serverFiles(host: HostModel, { dns, time }: LinuxSystem): RootFile[] {
  const { fallbackNameservers: names, fallbackTimeservers: times } = host
  return [
    ...(dns === 'fallback'
      ? fallback('/etc/systemd/resolved.conf.d/90-k3os.conf', '[Resolve]\nFallbackDNS', names)
      : []),
    ...(time.kind === 'fallback'
      ? fallback('/etc/systemd/timesyncd.conf.d/90-k3os.conf', '[Time]\nFallbackNTP', times)
      : times.length === 0
        ? []
        : [primaryTime(time, times)]),
  ]
}

function primaryTime(
  time: Extract<LinuxSystem['time'], { kind: 'primary' }>,
  servers: readonly Traced<string>[],
): RootFile {
  const { path, text } = time.render(servers.map((server) => server.value))
  return rootFile(path, text, { from: servers.flatMap((server) => server.from) })
}

type Entry = { readonly from: readonly string[] }

export function lines<T extends Entry>(
  path: string,
  entries: readonly T[],
  line: (entry: T) => string,
): RootFile[] {
  if (entries.length === 0) return []
  const text = entries.map((entry) => `${line(entry)}\n`).join('')
  return [rootFile(path, text, { from: entries.flatMap((entry) => entry.from) })]
}

/** sysctl.d(5) reads dots and slashes; an interface name with a dot in it needs the slashes. */
function sysctlLine({ key, file, value }: HostModel['sysctls'][number]): string {
  return `${file === key.replaceAll('.', '/') && !key.includes('/') ? key : file} = ${value}`
}

function fallback(path: string, key: string, list: readonly Traced<string>[]): RootFile[] {
  if (list.length === 0) return []
  const text = `${key}=${list.map((server) => server.value).join(' ')}\n`
  return [rootFile(path, text, { from: list.flatMap((server) => server.from) })]
}

/** Programs that are links to k3s on k3OS. */
export const k3sLinkNames = ['kubectl', 'crictl', 'ctr'] as const

/** k3OS has kubectl, crictl and ctr as links to k3s. */
export function k3sLinks(host: HostModel, { k3sBinary }: LinuxSystem): RootFile[] {
  if (host.k3s.role === 'none') return []
  const folder = k3sBinary.slice(0, k3sBinary.lastIndexOf('/'))
  const links = k3sLinkNames.map((name) => `L ${tmpfilesPath(`${folder}/${name}`)} - - - - k3s\n`)
  return [rootFile('/etc/tmpfiles.d/k3os-links.conf', links.join(''))]
}
