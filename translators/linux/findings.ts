import type { Finding } from '../../src/core/findings.ts'
import type { Traced } from '../../src/core/host/model.ts'
import { entriesOf } from '../../src/core/path.ts'
import { translateFinding, type Where } from '../../src/core/rules/translate.ts'
import type { TranslationSource } from '../../src/core/translation.ts'
import type { LinuxSystem } from './system.ts'

/** How people get what the plain image lacks; null where it is there. */
export interface Packages {
  readonly wifi: string | null
  readonly storage: string | null
}

/** What changes for the node on any of these systems, beyond single files and commands. */
export function systemFindings(
  { host, name }: Pick<TranslationSource, 'host' | 'name'>,
  system: LinuxSystem,
  packages: Packages,
): Finding[] {
  const where = { node: name }
  const target = system.title
  return [
    ...(host.sshHostKeys.length === 0 ? [translateFinding('TRN-HOST-KEYS-NEW', undefined, where)] : []),
    cgroupFinding({ host, name }, system),
    ...(host.network.wifi === null || packages.wifi === null
      ? []
      : [translateFinding('TRN-WIFI-PACKAGES', { packages: packages.wifi }, where)]),
    ...(packages.storage === null
      ? []
      : [translateFinding('TRN-STORAGE-CLIENTS', { packages: packages.storage, target }, where)]),
    ...serverFindings({ host, name }, system),
  ]
}

function cgroupFinding(
  { host, name }: Pick<TranslationSource, 'host' | 'name'>,
  { title, cgroupV1 }: LinuxSystem,
): Finding {
  const where = { node: name }
  const version = host.k3s.version ?? ''
  if (!host.k3s.needsCgroupV1) return translateFinding('TRN-CGROUP-V2', { target: title }, where)
  if (cgroupV1 === null) return translateFinding('TRN-CGROUP-V1-MISSING', { version, target: title }, where)
  return translateFinding('TRN-CGROUP-V1', { version, target: title }, where)
}

/** On k3OS the configured servers are only asked when the network gives none. */
function serverFindings(
  { host, name }: Pick<TranslationSource, 'host' | 'name'>,
  { title, dns, time }: LinuxSystem,
): Finding[] {
  const findings: Finding[] = []
  const where = ({ value, from }: Traced<string>): Where => {
    const path = entriesOf(from)[0]
    // What nobody configured is k3OS's own choice.
    return {
      node: name,
      path,
      discriminator: `${path ?? ''} ${value}`.trim(),
      ...(path === undefined ? { severity: 'low' } : {}),
    }
  }
  if (time.kind === 'primary')
    for (const server of host.fallbackTimeservers) {
      const facts = { server: server.value, program: time.program, target: title }
      findings.push(translateFinding('TRN-NTP-PRIMARY', facts, where(server)))
    }
  if (dns === 'none' && !fallbackIsUsed(host))
    for (const server of host.fallbackNameservers) {
      const facts = { server: server.value, target: title }
      findings.push(translateFinding('TRN-DNS-FALLBACK-LOST', facts, where(server)))
    }
  return findings
}

/**
 * Whether k3OS can only be using its fallback name servers: every port is static and has no servers of its own. A system
 * without fallbacks then takes them as its servers. (Router advertisements may bring others; they are asked as well.)
 */
export function fallbackIsUsed({ network, fallbackNameservers }: TranslationSource['host']): boolean {
  const all = [...network.ports, ...(network.wifi === null ? [] : [network.wifi])]
  return (
    fallbackNameservers.length > 0 &&
    all.length > 0 &&
    all.every((port) => !port.dhcp4 && port.addresses.length > 0 && port.nameservers.length === 0)
  )
}
