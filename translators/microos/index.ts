import type { Finding } from '../../src/core/findings.ts'
import { translateFinding } from '../../src/core/rules/translate.ts'
import type { TraceEntry, Translation, TranslationSource, Translator } from '../../src/core/translation.ts'
import { accessFiles, sudoersFile } from '../linux/access.ts'
import { seedDelivery } from '../linux/delivery.ts'
import { fallbackIsUsed, systemFindings } from '../linux/findings.ts'
import { architecture } from '../linux/machine.ts'
import { keyfiles } from '../linux/network-manager.ts'
import { portLinks } from '../linux/networkd.ts'
import { passwordParts } from '../linux/password.ts'
import { ownFolder, rootFile, traceInto, traceTo } from '../linux/root-file.ts'
import type { LinuxSystem } from '../linux/system.ts'
import { systemdNode } from '../linux/systemd-node.ts'
import { combustionScript } from './combustion.ts'
import { ignitionAlternative } from './ignition-alternative.ts'

const relabel = `${ownFolder}/relabel.sh`

const system: LinuxSystem = {
  title: 'openSUSE MicroOS',
  init: 'systemd',
  k3sBinary: '/usr/local/bin/k3s',
  shell: 'bash',
  hasTools: new Set(),
  readOnly: [],
  // Tumbleweed's systemd has none any more; that of Leap Micro is not established.
  cgroupV1: null,
  dns: 'none',
  time: {
    kind: 'primary',
    program: 'chrony',
    render: (servers) => ({
      path: '/etc/chrony.d/k3os.conf',
      text: servers.map((server) => `server ${server} iburst\n`).join(''),
    }),
  },
  beforeK3s: [`-/bin/sh ${relabel}`],
}

const script = 'combustion/script'

/** openSUSE MicroOS and its relatives (Leap Micro, SL Micro) with the node's own k3s, by a combustion script. */
export const translator: Translator = {
  id: 'microos',
  title: system.title,
  requires: {
    machines: ['x86_64', 'aarch64'],
    memoryMib: 1024,
    diskMib: 20480,
    // As Tumbleweed; Leap Micro's base asks for v2 by secondary reports.
    x86Level: 2,
    firmware: ['uefi', 'bios'],
    cgroup: ['v2'],
    rejoins: true,
    network: { lacksDrivers: [], cardFirmware: 'separate', wifi: 'setup' },
  },
  translate(source, tools): Translation {
    const { host, name, facts } = source
    const network = [
      ...portLinks(host.network.ports),
      ...keyfiles(host.network, fallbackIsUsed(host) ? host.fallbackNameservers : []),
    ]
    const node = systemdNode(source, system, tools, [
      ...accessFiles(host),
      sudoersFile(host),
      ...network,
      ...(host.k3s.role === 'none'
        ? []
        : [
            rootFile(relabel, tools.render('microos/relabel.sh.hbs', { binary: system.k3sBinary }), {
              mode: 0o755,
            }),
          ]),
    ])
    const password = passwordParts(host, tools)
    const machine = architecture(facts, { x86_64: 'x86_64', aarch64: 'aarch64' })
    const folder = machine === 'aarch64' ? 'ports/aarch64/tumbleweed' : 'tumbleweed'
    return {
      files: [
        { path: script, content: combustionScript({ name, host, network, ...node }, tools), mode: 0o600 },
        {
          path: 'ignition/config.ign',
          content: ignitionAlternative(
            host,
            [...node.files, ...password.files],
            [...node.units, ...password.units],
          ),
          mode: 0o600,
        },
      ],
      delivery: seedDelivery(host, system, {
        label: 'combustion',
        place: 'new',
        files: [script],
        image: `https://download.opensuse.org/${folder}/appliances/openSUSE-MicroOS.${machine}-Default-SelfInstall.raw.xz`,
      }),
      findings: [
        ...node.findings,
        ...systemFindings(source, system, {
          wifi: 'NetworkManager-wifi, wpa_supplicant and the firmware of the adapter',
          storage: 'sudo transactional-update pkg install open-iscsi nfs-client && sudo reboot',
        }),
        ...ownFindings(source),
      ],
      trace: [...traceInto(script, node.files), ...traceOfUser(source)],
    }
  },
}

function traceOfUser({ host: { user } }: TranslationSource): TraceEntry[] {
  return [
    ...traceTo(script, 'chpasswd', user.password?.from ?? []),
    ...user.authorizedKeys.flatMap((key) =>
      traceTo(script, `/home/${user.name}/.ssh/authorized_keys`, key.from),
    ),
  ]
}

function ownFindings({ host, name }: TranslationSource): Finding[] {
  const { title } = system
  return [
    ...(host.k3s.role === 'none' ? [] : [translateFinding('TRN-SELINUX', { target: title }, { node: name })]),
    translateFinding(
      'TRN-UPDATES',
      {
        target: title,
        does: 'would update and restart by itself: both are held back',
        later: 'sudo systemctl unmask transactional-update.timer rebootmgr.service',
      },
      { node: name },
    ),
  ]
}
