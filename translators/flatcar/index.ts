import type { Finding } from '../../src/core/findings.ts'
import { translateFinding } from '../../src/core/rules/translate.ts'
import type {
  OutputFile,
  TraceEntry,
  Translation,
  TranslationSource,
  Translator,
} from '../../src/core/translation.ts'
import { accessFiles, sudoersFile } from '../linux/access.ts'
import { seedDelivery } from '../linux/delivery.ts'
import { systemFindings } from '../linux/findings.ts'
import { ignition } from '../linux/ignition.ts'
import { architecture } from '../linux/machine.ts'
import { networkdFiles } from '../linux/networkd.ts'
import { passwordParts } from '../linux/password.ts'
import { rootFile, traceInto, traceTo } from '../linux/root-file.ts'
import type { LinuxSystem } from '../linux/system.ts'
import { systemdNode } from '../linux/systemd-node.ts'
import { butane } from './butane.ts'

const system: LinuxSystem = {
  title: 'Flatcar',
  init: 'systemd',
  // /usr, and so /usr/local, is read-only; /opt/bin is in the PATH.
  k3sBinary: '/opt/bin/k3s',
  shell: 'bash',
  hasTools: new Set(),
  readOnly: ['/usr/'],
  // Whether its systemd can still be made to is not established.
  cgroupV1: null,
  dns: 'fallback',
  time: { kind: 'fallback' },
  beforeK3s: [],
}

const configFile = 'config.ign'

/** Flatcar with the node's own k3s, by an Ignition configuration on the image's OEM partition. */
export const translator: Translator = {
  id: 'flatcar',
  title: system.title,
  requires: {
    machines: ['x86_64', 'aarch64'],
    memoryMib: 2048,
    diskMib: 8192,
    x86Level: 1,
    firmware: ['uefi', 'bios'],
    cgroup: ['v2'],
    rejoins: true,
    network: { lacksDrivers: [], cardFirmware: 'included', wifi: 'none' },
  },
  translate(source, tools): Translation {
    const { host, facts } = source
    const password = passwordParts(host, tools)
    const node = systemdNode(source, system, tools, [
      ...accessFiles(host),
      sudoersFile(host),
      ...networkdFiles(host.network),
      // It would restart by itself for every release, in the middle of a migration too.
      rootFile('/etc/flatcar/update.conf', 'REBOOT_STRATEGY=off\n'),
      ...password.files,
    ])
    const ignitionSource = { host, files: node.files, units: [...node.units, ...password.units] }
    const files: OutputFile[] = [
      { path: configFile, content: `${JSON.stringify(ignition(ignitionSource), null, 2)}\n`, mode: 0o600 },
      { path: 'config.bu', content: butane(ignitionSource), mode: 0o600 },
    ]
    const machine = architecture(facts, { x86_64: 'amd64', aarch64: 'arm64' })
    return {
      files,
      delivery: seedDelivery(host, system, {
        label: 'OEM',
        place: 'image',
        files: [configFile],
        image: `https://stable.release.flatcar-linux.net/${machine}-usr/current/flatcar_production_image.bin.bz2`,
      }),
      findings: [
        ...node.findings,
        ...systemFindings(source, system, {
          wifi: null,
          storage: 'sudo systemctl enable --now iscsid.service',
        }),
        ...ownFindings(source),
      ],
      trace: [...traceInto(configFile, node.files), ...traceOfUser(source)],
    }
  },
}

function traceOfUser({ host: { user } }: TranslationSource): TraceEntry[] {
  return [
    ...traceTo(configFile, 'passwd.users[0].passwordHash', user.password?.from ?? []),
    ...user.authorizedKeys.flatMap((key) =>
      traceTo(configFile, 'passwd.users[0].sshAuthorizedKeys', key.from),
    ),
  ]
}

function ownFindings({ host, name }: TranslationSource): Finding[] {
  return [
    ...(host.network.wifi?.networks ?? []).flatMap((wifi) =>
      (wifi.from.length === 0 ? [undefined] : wifi.from).map((path) =>
        translateFinding(
          'TRN-WIFI-NONE',
          { ssid: wifi.ssid, target: system.title },
          { node: name, path, discriminator: `${path ?? ''} ${wifi.ssid}` },
        ),
      ),
    ),
    translateFinding(
      'TRN-UPDATES',
      {
        target: system.title,
        does: 'fetches updates by itself; they take effect at the next restart, which REBOOT_STRATEGY=off leaves to you',
        later: 'sudo sed -i s/off/reboot/ /etc/flatcar/update.conf && sudo systemctl restart locksmithd',
      },
      { node: name },
    ),
  ]
}
