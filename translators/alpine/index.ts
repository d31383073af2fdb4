import type { Finding } from '../../src/core/findings.ts'
import { entriesOf } from '../../src/core/path.ts'
import { sh } from '../../src/core/shell.ts'
import { translateFinding } from '../../src/core/rules/translate.ts'
import type { TraceEntry, Translation, TranslationSource, Translator } from '../../src/core/translation.ts'
import { alpineTools } from '../../src/core/rules/translate.ts'
import { accessFiles } from '../linux/access.ts'
import { seedDelivery } from '../linux/delivery.ts'
import { systemFindings } from '../linux/findings.ts'
import { namedPorts } from '../linux/ifupdown.ts'
import { architecture } from '../linux/machine.ts'
import { rootFile, traceInto, traceTo, withoutCollisions, type RootFile } from '../linux/root-file.ts'
import { kernelFiles, lines, nonceFile, serverFiles } from '../linux/system-files.ts'
import type { LinuxSystem } from '../linux/system.ts'
import { writtenFiles } from '../linux/written-files.ts'
import { networkParts } from './network.ts'
import { commandParts, k3sParts, memoryParts } from './openrc.ts'
import { overlay, overlayFile } from './overlay.ts'

const system: LinuxSystem = {
  title: 'Alpine 3.24',
  init: 'openrc',
  k3sBinary: '/usr/local/bin/k3s',
  shell: 'sh',
  // k3OS's own userland; what is missing is connman and k3OS itself.
  hasTools: new Set(Object.keys(alpineTools).filter((tool) => !['connmanctl', 'k3os'].includes(tool))),
  readOnly: [],
  // rc_cgroup_mode could still ask for it, but Alpine's kernels since 6.12 (Alpine 3.21) are built without CONFIG_MEMCG_V1 and
  // CONFIG_CPUSETS_V1 (alpinelinux/aports main/linux-lts): a hierarchy without memory and cpuset.
  cgroupV1: null,
  dns: 'none',
  time: {
    kind: 'primary',
    program: 'ntpd of busybox',
    render: (servers) => ({
      path: '/etc/conf.d/ntpd',
      text: `NTPD_OPTS="-N ${servers.map((server) => `-p ${server}`).join(' ')}"\n`,
    }),
  },
  beforeK3s: [],
}

/** Alpine with the node's own k3s: k3OS's userland without k3OS, by an overlay for the installation medium. */
export const translator: Translator = {
  id: 'alpine',
  title: system.title,
  requires: {
    machines: ['x86_64', 'aarch64', 'armv7l'],
    memoryMib: 512,
    diskMib: 4096,
    x86Level: 1,
    firmware: ['uefi', 'bios'],
    cgroup: ['v2'],
    rejoins: true,
    network: { lacksDrivers: [], cardFirmware: 'separate', wifi: 'setup' },
  },
  // Not for every wired port: TRN-NET-GUESSED-PORT.
  untrueOf: ['TRN-NET-PORTS-UNKNOWN'],
  translate(source, tools): Translation {
    const { host, name, nonce, facts } = source
    const about = { node: name, system }
    const network = networkParts(host, tools)
    const written = writtenFiles(host, about)
    const k3s = k3sParts(host, tools, about)
    const commands = commandParts(host, tools, about)
    const memory = memoryParts(written.inMemory, tools)
    const own = [
      ...nonceFile(nonce),
      ...kernelFiles(host),
      ...serverFiles(host, system),
      ...environmentFiles(host),
      ...accessFiles(host),
      ...userFiles(source, tools.render('alpine/sudo.sh.hbs', {})),
      ...network.files,
      ...k3s.files,
      ...commands.files,
      ...memory.files,
    ]
    const { kept, findings: collisions } = withoutCollisions(name, written.files, own)
    const files = [...own, ...kept]
    const medium = overlay(
      {
        source,
        network,
        files,
        services: [...memory.services, ...commands.services, ...k3s.services],
      },
      tools,
    )
    const machine = architecture(facts, { x86_64: 'x86_64', aarch64: 'aarch64', armv7l: 'armv7' })
    const image =
      machine === 'armv7' ? 'alpine-uboot-3.24.4-armv7.tar.gz' : `alpine-standard-3.24.4-${machine}.iso`
    return {
      files: medium.files,
      delivery: seedDelivery(host, system, {
        label: 'APKOVL',
        place: 'new',
        files: [overlayFile],
        image: `https://dl-cdn.alpinelinux.org/alpine/v3.24/releases/${machine}/${image}`,
      }),
      findings: [
        ...commands.findings,
        ...written.findings,
        ...collisions,
        ...medium.findings,
        ...systemFindings(source, system, {
          wifi: 'the firmware of the adapter (linux-firmware-…)',
          storage:
            'doas apk add open-iscsi nfs-utils && doas rc-update add iscsid && doas rc-service iscsid start',
        }),
        ...ownFindings(source),
      ],
      trace: [...traceInto(overlayFile, files), ...traceOfUser(source)],
    }
  },
}

/** OpenRC and k3s source the file as k3OS does; a login shell does so by profile.d. */
function environmentFiles({ environment }: TranslationSource['host']): RootFile[] {
  const file = lines('/etc/environment', environment, ({ name, value }) => `${name}=${sh(value)}`)
  return file.length === 0
    ? []
    : [...file, rootFile('/etc/profile.d/k3os-environment.sh', 'set -a\n. /etc/environment\nset +a\n')]
}

/** k3OS's one user does everything without a password; scripts find a `sudo` that doas stands behind. */
function userFiles({ host: { user } }: TranslationSource, sudo: string): RootFile[] {
  const keys = user.authorizedKeys.map((key) => `${key.value}\n`).join('')
  return [
    rootFile('/etc/doas.d/90-k3os.conf', `permit nopass keepenv ${user.name}\npermit nopass keepenv root\n`, {
      mode: 0o600,
    }),
    rootFile('/usr/local/bin/sudo', sudo, { mode: 0o755 }),
    ...(keys === ''
      ? []
      : [
          rootFile(`/home/${user.name}/.ssh/authorized_keys`, keys, {
            mode: 0o600,
            owner: `${user.name}:${user.name}`,
            from: user.authorizedKeys.flatMap((key) => key.from),
          }),
        ]),
  ]
}

function traceOfUser({ host: { user } }: TranslationSource): TraceEntry[] {
  return traceTo(overlayFile, 'etc/k3os-migrate/password', user.password?.from ?? [])
}

function ownFindings({ host, name }: TranslationSource): Finding[] {
  const guessed = namedPorts(host.network).filter(
    ({ name: given, mac }) => mac === null && !host.network.ports.some((port) => port.name === given),
  )
  return [
    ...guessed.map((port) =>
      translateFinding(
        'TRN-NET-GUESSED-PORT',
        { port: port.name, target: system.title },
        { node: name, path: entriesOf(port.from)[0], discriminator: port.name },
      ),
    ),
    translateFinding(
      'TRN-UPDATES',
      {
        target: system.title,
        does: 'updates nothing by itself, as k3OS',
        later: 'doas apk upgrade --available',
      },
      { node: name },
    ),
  ]
}
