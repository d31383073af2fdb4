import type { Finding } from '../../src/core/findings.ts'
import { translateFinding } from '../../src/core/rules/translate.ts'
import type { OutputFile, TranslateTools, TranslationSource } from '../../src/core/translation.ts'
import { yaml } from '../../src/core/yaml-text.ts'
import { systemDisk } from '../linux/machine.ts'
import { networkConfig } from '../linux/netplan.ts'
import { cloudConfig, type SeedSource } from '../linux/nocloud.ts'

/**
 * The same node for Ubuntu's installer instead of the cloud image; what the installed system does first is in `user-data`.
 * Keys: canonical/subiquity doc/reference/autoinstall-reference.
 */
export function autoinstall(
  { name, facts, host }: TranslationSource,
  seed: Omit<SeedSource, 'name' | 'nonce'>,
  tools: TranslateTools,
): { readonly file: OutputFile; readonly findings: readonly Finding[] } {
  const disk = systemDisk(facts)
  const match =
    disk === null ? null : disk.serial === null ? { path: `/dev/${disk.name}` } : { serial: disk.serial }
  const document = {
    autoinstall: {
      version: 1,
      // Without a disk the installer would take the largest one, and erase it.
      ...(match === null ? { 'interactive-sections': ['storage'] } : {}),
      locale: 'C.UTF-8',
      timezone: 'Etc/UTC',
      network: networkConfig(host.network),
      storage: { layout: { name: 'direct', ...(match === null ? {} : { match }) } },
      ssh: { 'install-server': true, 'allow-pw': false },
      updates: 'security',
      shutdown: 'reboot',
      'user-data': cloudConfig(seed, tools),
    },
  }
  return {
    file: {
      path: 'autoinstall.yaml',
      content: `#cloud-config\n${yaml(document)}`,
      mode: 0o600,
    },
    findings:
      match === null
        ? [
            translateFinding(
              'TRN-DISK-UNKNOWN',
              { file: 'autoinstall.yaml', next: 'the installer asks' },
              // The image needs no installer.
              { node: name, severity: 'low' },
            ),
          ]
        : [],
  }
}
