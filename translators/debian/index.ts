import type { Finding } from '../../src/core/findings.ts'
import type { HostModel } from '../../src/core/host/model.ts'
import { k3osBinary, k3sPaths } from '../../src/core/k3s/paths.ts'
import { releasePath } from '../../src/core/node-paths.ts'
import { entriesOf } from '../../src/core/path.ts'
import { translateFinding } from '../../src/core/rules/translate.ts'
import type {
  Delivery,
  TraceEntry,
  Translation,
  TranslationSource,
  Translator,
} from '../../src/core/translation.ts'
import { commandParts } from './commands.ts'
import { k3sParts } from './k3s.ts'
import type { RootFile } from './root-file.ts'
import { seedFiles } from './seed.ts'
import { kernelArguments, systemFiles } from './system.ts'
import { writtenFiles } from './written-files.ts'

const title = 'Debian 13'

/** Debian 13 with the node's own k3s, by a cloud image and a NoCloud seed. */
export const translator: Translator = {
  id: 'debian',
  title,
  requires: {
    machines: ['x86_64', 'aarch64'],
    memoryMib: 512,
    diskMib: 4096,
    x86Level: 1,
    firmware: ['uefi', 'bios'],
    cgroup: ['v1', 'v2'],
    rejoins: true,
    // The image `generic` has every driver of the kernel; firmware and Wi-Fi programs are packages of their own.
    network: { lacksDrivers: [], cardFirmware: 'separate', wifi: 'setup' },
  },
  translate(source, tools): Translation {
    const { host, name, nonce } = source
    const about = { node: name, target: title }
    const k3s = k3sParts(host, tools)
    const commands = commandParts(host, tools, about)
    const written = writtenFiles(host, about)
    const own = [...systemFiles(host, nonce), ...k3s.files, ...commands.files]
    const { kept, findings: collisions } = withoutCollisions(name, written.files, own)
    const files = [...own, ...kept]
    const units = [...k3s.units, ...commands.units]
    const seed = seedFiles({ name, host, nonce, files, units }, tools)
    return {
      files: seed,
      delivery: delivery(
        source,
        seed.map((file) => file.path),
      ),
      findings: [...commands.findings, ...written.findings, ...collisions, ...systemFindings(source)],
      trace: [...files.flatMap(traceOf), ...traceOfSeed(host)],
    }
  },
}

/** Two files of one path would silently become one: ours is needed, so the user's is reported. */
function withoutCollisions(
  node: string,
  written: readonly RootFile[],
  own: readonly RootFile[],
): { readonly kept: readonly RootFile[]; readonly findings: readonly Finding[] } {
  const taken = new Set(own.map((file) => file.path))
  return {
    kept: written.filter((file) => !taken.has(file.path)),
    findings: written
      .filter((file) => taken.has(file.path))
      .flatMap((file) =>
        entriesOf(file.from).map((path) =>
          translateFinding('TRN-FILE-COLLIDES', { file: file.path }, { node, path }),
        ),
      ),
  }
}

function traceOf(file: RootFile): TraceEntry[] {
  return file.from.map((from) => ({ from, to: { file: 'user-data', path: file.path } }))
}

/** What the seed says in cloud-init's own words, not as a file. */
function traceOfSeed(host: HostModel): TraceEntry[] {
  const { user, network, hostname } = host
  const to = (file: string, path: string, from: readonly string[]): TraceEntry[] =>
    from.map((source) => ({ from: source, to: { file, path } }))
  return [
    ...to('user-data', 'hostname', hostname?.from ?? []),
    ...to('user-data', 'users[0].passwd', user.password?.from ?? []),
    ...user.authorizedKeys.flatMap((key) => to('user-data', 'users[0].ssh_authorized_keys', key.from)),
    ...network.ports.flatMap((port) => to('network-config', 'ethernets', port.from)),
    ...(network.wifi?.networks ?? []).flatMap((wifi) => to('network-config', 'wifis', wifi.from)),
  ]
}

function delivery(source: TranslationSource, files: readonly string[]): Delivery {
  const { host, facts } = source
  const runsK3s = host.k3s.role !== 'none'
  const architecture = facts?.machine === 'aarch64' ? 'arm64' : 'amd64'
  return {
    kind: 'seed',
    label: 'CIDATA',
    files,
    image: `https://cloud.debian.org/images/cloud/trixie/latest/debian-13-generic-${architecture}.raw`,
    kernelArguments: kernelArguments(host),
    payload: runsK3s ? [{ from: k3osBinary, to: k3sPaths.binary, mode: 0o755 }] : [],
    gate: runsK3s
      ? {
          release: releasePath,
          opens: `k3s starts once ${releasePath} exists: "apply" makes it after the data is back and compared; without "apply", put k3s at ${k3sPaths.binary} and /var/lib/rancher in place, then: sudo touch ${releasePath}`,
        }
      : null,
  }
}

function systemFindings({ host, name }: TranslationSource): Finding[] {
  const where = { node: name }
  const { k3s } = host
  return [
    ...(host.sshHostKeys.length === 0 ? [translateFinding('TRN-HOST-KEYS-NEW', undefined, where)] : []),
    ...(k3s.needsCgroupV1
      ? [translateFinding('TRN-CGROUP-V1', { version: k3s.version ?? '', target: title }, where)]
      : [translateFinding('TRN-CGROUP-V2', { target: title }, where)]),
    ...(host.network.wifi === null
      ? []
      : [
          translateFinding(
            'TRN-WIFI-PACKAGES',
            { packages: 'wpasupplicant and the firmware of the adapter' },
            where,
          ),
        ]),
    translateFinding(
      'TRN-STORAGE-CLIENTS',
      { packages: 'sudo apt-get install open-iscsi nfs-common', target: title },
      where,
    ),
  ]
}
