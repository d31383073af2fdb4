import type { Finding } from '../../src/core/findings.ts'
import { translateFinding } from '../../src/core/rules/translate.ts'
import type { TranslationSource } from '../../src/core/translation.ts'
import type { LinuxSystem } from './system.ts'

/** SL Micro as Elemental 2 boots it; the Rancher-managed way uses the same image. */
export const slMicro: LinuxSystem = {
  title: 'Elemental on SL Micro 6.2',
  init: 'systemd',
  // Persistent, beside the image.
  k3sBinary: '/usr/local/bin/k3s',
  shell: 'bash',
  hasTools: new Set(),
  readOnly: ['/usr/'],
  cgroupV1: null,
  dns: 'none',
  time: { kind: 'fallback' },
  beforeK3s: [],
}

/** Hardware it needs: release notes of SL Micro 6 and rancher/elemental-docs. */
export const elementalHardware = {
  machines: ['x86_64', 'aarch64'],
  memoryMib: 1024,
  diskMib: 25600,
  x86Level: 2,
  firmware: ['uefi'],
  cgroup: ['v2'],
  network: { lacksDrivers: [], cardFirmware: 'included', wifi: 'none' },
} as const

/** What holds however Elemental is installed. */
export function elementalFindings({ host, name, facts }: TranslationSource): Finding[] {
  const where = { node: name }
  const { title: target } = slMicro
  return [
    translateFinding('TRN-ELEMENTAL-END', undefined, where),
    ...(facts?.firmware === 'bios' ? [translateFinding('TRN-UEFI-ONLY', { target }, where)] : []),
    ...(host.network.wifi?.networks ?? []).flatMap((network) =>
      network.from.length === 0
        ? []
        : [translateFinding('TRN-IMAGE-NO-WIFI', { target }, { ...where, path: network.from[0] })],
    ),
  ]
}
