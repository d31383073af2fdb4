import type { Bundle } from './bundle.ts'
import { readBoot, readInstalled, readOwnConfiguration } from './facts/boot.ts'
import { readMachineCertificates } from './facts/certificates.ts'
import { readDevices, readModules } from './facts/devices.ts'
import { readDisks, readStateSpace } from './facts/disks.ts'
import { evidenceOf, firstLine } from './facts/evidence.ts'
import { readBoardModel, readCpu, readMemoryMib, readSystemUuid } from './facts/hardware.ts'
import { readK3s } from './facts/k3s.ts'
import { readDefaultGateways, readInterfaces, readNameservers } from './facts/network.ts'
import { probes } from './facts/probes.ts'
import { readService } from './facts/service.ts'
import { readSshHostKeys } from './facts/ssh-keys.ts'
import { readStorage } from './facts/storage.ts'
import {
  noteMissingRoot,
  readCgroup,
  readClockOffset,
  readComponents,
  readFirmware,
  readHostname,
  readInstall,
  readMarkers,
  readMode,
  readOs,
} from './facts/system.ts'
import { readLocalVolumes, readUsage } from './facts/usage.ts'
import type { NodeFacts } from './inventory.ts'

/**
 * What one bundle tells about its node, without secrets. `collectedAt` is the collector's clock, for the node's offset.
 * Never throws for what a node may lack or refuse: that is null or empty, and a line in `failures`.
 */
export function nodeFacts(bundle: Bundle, collectedAt?: { readonly epochSeconds: number }): NodeFacts {
  const evidence = evidenceOf(bundle)
  noteMissingRoot(evidence)
  const line = (path: string): string | null => firstLine(evidence.text(path))
  const machine = firstLine(evidence.output(probes.machine))
  const kernel = firstLine(evidence.output(probes.kernel))
  const mode = readMode(evidence)
  const disks = readDisks(evidence)
  const os = readOs(evidence)
  const k3s = readK3s(evidence)
  return {
    hostname: readHostname(evidence),
    os,
    kernel,
    machine,
    mode,
    install: readInstall(evidence, { mode, kernel, disks }),
    firmware: readFirmware(evidence, machine),
    components: readComponents(evidence),
    installed: readInstalled(evidence),
    markers: readMarkers(evidence),
    ownConfiguration: readOwnConfiguration(evidence, os.id === 'k3os'),
    boot: readBoot(evidence),
    cpu: readCpu(evidence, machine),
    memoryMib: readMemoryMib(evidence),
    boardModel: readBoardModel(evidence),
    systemUuid: readSystemUuid(evidence),
    bootId: line('/proc/sys/kernel/random/boot_id'),
    machineId: line('/etc/machine-id'),
    cgroup: readCgroup(evidence),
    disks,
    storage: readStorage(evidence),
    state: readStateSpace(evidence),
    interfaces: readInterfaces(evidence),
    defaultGateways: readDefaultGateways(evidence),
    nameservers: readNameservers(evidence),
    k3s,
    service: readService(evidence, k3s.role),
    certificates: readMachineCertificates(evidence),
    devices: readDevices(evidence),
    modules: readModules(evidence),
    usage: readUsage(evidence),
    localVolumes: readLocalVolumes(evidence),
    sshHostKeys: readSshHostKeys(evidence),
    clockOffsetSeconds: readClockOffset(evidence, collectedAt),
    failures: evidence.failures,
  }
}
