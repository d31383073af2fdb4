import type { HostFile, HostModel } from '../../src/core/host/model.ts'
import { firstInvalidUtf8, utf8Decode } from '../../src/core/k3os/bytes.ts'
import { entriesOf } from '../../src/core/path.ts'
import { isAddress } from './address.ts'
import { octal, type Draft } from './draft.ts'

/** Nothing is written freely on Talos: each file becomes what it says, in the words Talos has for it, or is reported. */
export function writtenFiles(host: HostModel, draft: Draft): void {
  for (const file of host.files) {
    const from = entriesOf(file.from)
    const lose = (reason: string): void => {
      draft.report('TRN-TALOS-FILE', { file: file.path, reason }, from)
    }
    switch (file.purpose) {
      case 'plain':
        plainFile(file, draft, lose)
        break
      case 'k3s-manifest':
        manifest(file, host.k3s.role, draft, lose)
        break
      case 'k3s-config':
        lose('there is no k3s; what k3s reads there has to be said in the words of Talos')
        break
      case 'ephemeral':
        lose('nothing writes files below /run or /tmp; a DaemonSet can')
        break
      case 'openrc':
      case 'local-d':
        lose('nothing runs scripts; use a DaemonSet, a static pod or a system extension')
        break
      case 'connman':
      case 'environment':
      case 'unwritable':
        // Part of the network configuration, of the variables, or of nothing.
        break
    }
  }
}

function manifest(file: HostFile, role: string, draft: Draft, lose: (reason: string) => void): void {
  const text = asText(file)
  const name = file.path.slice(file.path.lastIndexOf('/') + 1).replace(/\.ya?ml$/, '')
  if (role !== 'server') draft.report('TRN-MANIFEST-ON-AGENT', { file: file.path }, entriesOf(file.from))
  else if (text === null || !/\.ya?ml$/.test(file.path)) lose('it is no text that Talos could apply')
  else if (/^kind:\s*["']?(?:HelmChart|HelmChartConfig|Addon)\b/m.test(text))
    lose('there is no HelmChart controller: install the chart with helm, or render it to plain manifests')
  else {
    draft.report('TRN-TALOS-MANIFEST', { file: file.path }, entriesOf(file.from))
    if (draft.dialect === '1.13')
      draft.addLegacy(['cluster', 'inlineManifests'], { name, contents: text }, file.from)
    else draft.document('KubeInlineManifestConfig', name, { manifest: text }, file.from)
  }
}

/** Paths whose meaning Talos has its own words for. */
const understood: readonly (readonly [RegExp, (text: string, file: HostFile, draft: Draft) => boolean])[] = [
  [/^\/etc\/sysctl\.(?:conf|d\/[^/]+\.conf)$/, sysctlFile],
  [/^\/etc\/modules(?:-load\.d\/[^/]+\.conf)?$/, modulesFile],
  [/^\/etc\/hosts$/, hostsFile],
  [/^\/etc\/udev\/rules\.d\/[^/]+\.rules$/, udevFile],
  [/\.(?:crt|pem)$/, certificateFile],
]

/** Names below /etc that Talos keeps to itself (siderolabs/talos pkg/machinery/config/types/runtime/etc_file.go). */
const managedEtc =
  /^(?:resolv\.conf|hosts|machine-id|extensions\.yaml|localtime|os-release|xattr\.conf)$|^(?:apparmor[^/]*|ca-certificates|cni|cri|iscsi|kubernetes|lvm|nvme|pki|selinux|ssl)(?:\/|$)/

function plainFile(file: HostFile, draft: Draft, lose: (reason: string) => void): void {
  const text = asText(file)
  if (text === null) return lose('it is not text')
  for (const [path, convert] of understood) if (path.test(file.path) && convert(text, file, draft)) return
  const etc = /^\/etc\/(.+)$/.exec(file.path)?.[1]
  if (etc !== undefined && draft.dialect === '1.14') {
    if (managedEtc.test(etc) || etc.split('/').includes('..')) return lose('Talos keeps this path to itself')
    draft.document('EtcFileConfig', etc, { mode: octal(file.mode & 0o777), contents: text }, file.from)
    draft.report('TRN-TALOS-ETC', { file: file.path }, entriesOf(file.from))
  } else if (file.path.startsWith('/var/') && !file.path.split('/').includes('..')) {
    const entry = { path: file.path, permissions: octal(file.mode & 0o777), op: 'create', content: text }
    draft.addLegacy(['machine', 'files'], entry, file.from)
    if (file.owner !== '' && file.owner !== 'root')
      draft.report(
        'TRN-FILE-OWNER',
        { file: file.path, owner: file.owner, target: 'Talos' },
        entriesOf(file.from),
      )
  } else lose('Talos writes below /var, and in 1.14 below /etc, nowhere else')
}

function asText({ content }: HostFile): string | null {
  return firstInvalidUtf8(content) === -1 && !content.includes(0) ? utf8Decode(content) : null
}

function meaningful(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^[#;]/.test(line))
}

function sysctlFile(text: string, { from }: HostFile, draft: Draft): boolean {
  const pairs = meaningful(text).map((line) => /^-?([\w./-]+)\s*=\s*(.*)$/.exec(line))
  if (pairs.length === 0 || pairs.some((pair) => pair === null)) return false
  for (const pair of pairs)
    draft.set('sysctls', pair?.[2] ?? '', from, (pair?.[1] ?? '').replaceAll('/', '.'))
  return true
}

function modulesFile(text: string, { from }: HostFile, draft: Draft): boolean {
  const names = meaningful(text)
  if (names.length === 0 || !names.every((name) => /^[\w-]+$/.test(name))) return false
  for (const name of names) module(name, [], from, draft)
  return true
}

export function module(
  name: string,
  parameters: readonly string[],
  from: HostFile['from'],
  draft: Draft,
): void {
  const given = parameters.length === 0 ? {} : { parameters }
  if (name === '') draft.report('TRN-TALOS-OWN', { what: 'a kernel module', how: 'it has no name' }, from)
  else if (draft.dialect === '1.14') draft.document('KernelModuleConfig', name, given, from)
  else draft.addLegacy(['machine', 'kernel', 'modules'], { name, ...given }, from)
}

function hostsFile(text: string, { from }: HostFile, draft: Draft): boolean {
  const rows = meaningful(text).map((line) => line.replace(/#.*/, '').trim().split(/\s+/))
  if (!rows.every(([address, ...names]) => isAddress(address ?? '') && names.length > 0)) return false
  const byAddress = new Map<string, string[]>()
  for (const [address = '', ...names] of rows)
    // The machine's own name is Talos's affair.
    if (!/^(?:127\.|::1$)/.test(address))
      byAddress.set(address, [...(byAddress.get(address) ?? []), ...names])
  if (byAddress.size === 0) return false
  for (const [address, hostnames] of byAddress)
    draft.document('StaticHostConfig', address.toLowerCase(), { hostnames }, from)
  return true
}

function udevFile(text: string, { from }: HostFile, draft: Draft): boolean {
  draft.add('udevRules', meaningful(text), from)
  return meaningful(text).length > 0
}

function certificateFile(text: string, { from, path }: HostFile, draft: Draft): boolean {
  if (!/^\/(?:etc|usr\/local\/share)\/(?:ssl|pki|ca-certificates)\b/.test(path)) return false
  const whole = /-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/
  if (!whole.test(text) || text.includes('PRIVATE KEY')) return false
  const name = path.slice(path.lastIndexOf('/') + 1).replace(/\.\w+$/, '')
  draft.document('TrustedRootsConfig', name, { certificates: text }, from)
  return true
}
