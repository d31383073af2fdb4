import type { Finding } from '../../src/core/findings.ts'
import type { Disk } from '../../src/core/inventory.ts'
import { translateFinding } from '../../src/core/rules/translate.ts'
import { sh } from '../../src/core/shell.ts'
import type { OutputFile, TranslateTools, TranslationSource } from '../../src/core/translation.ts'
import { installerName } from '../linux/access.ts'
import { systemDisk } from '../linux/machine.ts'

/** Answers for Debian's installer, which then hands the seed to the installed system; Debian installation guide B.4. */
export function preseed(
  { name, host, facts }: TranslationSource,
  tools: TranslateTools,
): { readonly file: OutputFile; readonly findings: readonly Finding[] } {
  const disk = systemDisk(facts)
  const proxy = host.environment.find((variable) => /^http_proxy$/i.test(variable.name))?.value ?? ''
  return {
    file: {
      path: 'preseed.cfg',
      content: tools.render('debian/preseed.cfg.hbs', {
        name: oneLine(name),
        hostname: installerName(host, 'debian'),
        fixed: fixedPort(host.network),
        proxy: oneLine(proxy),
        disk: { known: disk !== null, test: disk === null ? '' : diskTest(disk) },
        packages: host.network.wifi === null ? '' : ' wpasupplicant',
      }),
      // The proxy may have a password.
      mode: 0o600,
    },
    findings:
      disk === null
        ? [
            translateFinding(
              'TRN-DISK-UNKNOWN',
              { file: 'preseed.cfg', next: 'the installer asks' },
              // The image needs no installer.
              { node: name, severity: 'low' },
            ),
          ]
        : [],
  }
}

/** A line break would start another answer. */
function oneLine(text: string): string {
  return text.replaceAll(/[\r\n\0]/g, ' ').trim()
}

function diskTest({ name, serial }: Disk): string {
  return serial === null
    ? `[ "$disk" = ${sh(`/dev/${name}`)} ]`
    : `udevadm info -q property -n "$disk" | grep -qxF ${sh(`ID_SERIAL_SHORT=${oneLine(serial)}`)}`
}

/** The installer sets up one port: a static one with a gateway, when there is one. Others wait for the installed system. */
function fixedPort(network: TranslationSource['host']['network']): object | null {
  for (const port of network.ports) {
    const gateway = port.gateways.find((address) => !address.includes(':'))
    const [address, length] = port.addresses.find((one) => !one.includes(':'))?.split('/') ?? []
    if (port.dhcp4 || gateway === undefined || address === undefined) continue
    return {
      address,
      netmask: netmask(Number(length)),
      gateway,
      nameservers: port.nameservers.join(' '),
    }
  }
  return null
}

/** 24 → 255.255.255.0 */
function netmask(length: number): string {
  return [0, 8, 16, 24].map((before) => 256 - 2 ** (8 - Math.min(8, Math.max(0, length - before)))).join('.')
}
