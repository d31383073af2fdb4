import type { NodeFacts } from '../inventory.ts'
import { blockDevices } from './disks.ts'
import { type Evidence, firstLine } from './evidence.ts'
import { lookupOutput } from './lookup.ts'
import { probes } from './probes.ts'

/** The three parts k3OS installs and upgrades by itself: rancher/k3os pkg/system/component.go. */
const components = ['k3os', 'k3s', 'kernel'] as const

/** Files that make k3OS do something dangerous at its next boot: rancher/k3os overlay/libexec/k3os/mode-disk. */
const markers = ['takeover', 'factory-reset', 'ephemeral', 'growpart', 'poweroff'] as const

export function readHostname(evidence: Evidence): string | null {
  const sources = ['/proc/sys/kernel/hostname', '/etc/hostname', '/var/lib/rancher/k3os/hostname']
  for (const path of sources) {
    const name = firstLine(evidence.text(path))
    if (name !== null) return name
  }
  return evidence.fail('host name', `none of ${sources.join(', ')} has one`)
}

export function readOs(evidence: Evidence): NodeFacts['os'] {
  const text = evidence.text('/etc/os-release')
  if (text === undefined) evidence.fail('/etc/os-release', 'it does not exist')
  const values = new Map(
    (text ?? '').split('\n').map((line) => {
      const [, key = '', value = ''] = /^\s*([A-Z_0-9]+)=(.*)$/.exec(line) ?? []
      return [key, value.trim().replaceAll(/^(["'])(.*)\1$/g, '$2')] as const
    }),
  )
  const value = (key: string): string | null => values.get(key) ?? null
  return { id: value('ID'), version: value('VERSION_ID'), prettyName: value('PRETTY_NAME') }
}

export function readComponents(evidence: Evidence): NodeFacts['components'] {
  const link = (path: string): string | null => evidence.link(path) ?? null
  return Object.fromEntries(
    components.map((name) => [
      name,
      { current: link(`/k3os/system/${name}/current`), previous: link(`/k3os/system/${name}/previous`) },
    ]),
  )
}

export function readMarkers(evidence: Evidence): string[] {
  return markers.filter((name) => evidence.exists(`/k3os/system/${name}`) === true)
}

export function readMode(evidence: Evidence): string | null {
  const mode = evidence.text('/run/k3os/mode')
  if (mode === undefined) return evidence.fail('/run/k3os/mode', 'it does not exist')
  return firstLine(mode)
}

/**
 * `local` is said of both kinds of install: a disk install has a file system labelled K3OS_STATE and runs a kernel that
 * lies below `/k3os/system/kernel`; an overlay install (ARM boards) has neither.
 */
export function readInstall(
  evidence: Evidence,
  facts: Pick<NodeFacts, 'mode' | 'kernel' | 'disks'>,
): NodeFacts['install'] {
  if (facts.mode === 'live' || facts.mode === 'install') return 'live'
  if (facts.mode === null || facts.kernel === null || facts.disks.length === 0) return 'unknown'
  // `no_format` takes whatever ext4 file system it is given: a whole disk or a logical volume as well as a partition.
  const labelled = blockDevices(evidence).some(({ label }) => label === 'K3OS_STATE')
  const ownKernel = evidence.exists(`/k3os/system/kernel/${facts.kernel}`)
  if (labelled && ownKernel === true) return 'disk'
  if (!labelled && ownKernel === false) return 'overlay'
  return 'unknown'
}

export function readFirmware(evidence: Evidence, machine: string | null): NodeFacts['firmware'] {
  const efi = evidence.exists('/sys/firmware/efi')
  if (efi === true) return 'uefi'
  // An ARM board without EFI boots by its own loader, which is no BIOS either.
  return efi === false && machine === 'x86_64' ? 'bios' : 'unknown'
}

/** From the mount table: k3OS mounts a v1 hierarchy itself, rancher/k3os pkg/cli/rc/rc.go. */
export function readCgroup(evidence: Evidence): NodeFacts['cgroup'] {
  const text = evidence.text('/proc/mounts')
  if (text === undefined) evidence.fail('/proc/mounts', 'it does not exist')
  const types = new Set((text ?? '').split('\n').map((line) => line.split(' ')[2]))
  if (types.has('cgroup')) return types.has('cgroup2') ? 'hybrid' : 'v1'
  return types.has('cgroup2') ? 'v2' : 'unknown'
}

/** Seconds the node's clock is ahead; both readings are taken within the same SSH command, so seconds are what it tells. */
export function readClockOffset(
  evidence: Evidence,
  collectedAt: { readonly epochSeconds: number } | undefined,
): number | null {
  const text = evidence.output(probes.epochSeconds)
  if (text === null) return null
  if (collectedAt === undefined) return evidence.fail('clock', 'the time of collection is not known')
  if (!/^\d+\s*$/.test(text)) return evidence.fail(probes.epochSeconds, 'the answer is not a number')
  return Number(text) - collectedAt.epochSeconds
}

/** Explains the failures that follow: without root most of them are the same one. */
export function noteMissingRoot(evidence: Evidence): void {
  const id = lookupOutput(evidence.bundle, probes.userId)
  if (id.status === 'found' && id.value.trim() !== '0')
    evidence.fail('root', 'it was read without root rights, so private files and sizes are missing')
}
