import type { ClusterFacts, NodeFacts } from '../../src/core/inventory.ts'

/** The parts of a disk install by a late installer that most tests do not look at: nothing out of the ordinary. */
export const plainMachine: Pick<
  NodeFacts,
  'installed' | 'ownConfiguration' | 'boot' | 'storage' | 'service' | 'certificates' | 'devices' | 'modules'
> = {
  installed: {},
  ownConfiguration: 'merged',
  boot: { menu: null, previous: 'boots', canKexec: true },
  storage: {
    state: { device: '/dev/sda1', kind: 'partition' },
    raids: [],
    volumeGroups: [],
    logicalVolumes: [],
    extraMounts: [],
  },
  service: {
    arguments: [],
    environment: [],
    token: 'short',
    manifests: [],
    charts: [],
    manifestObjects: [],
    images: [],
    logBytes: 1024,
  },
  certificates: [
    {
      path: '/var/lib/rancher/k3s/agent/client-kubelet.crt',
      subject: 'system:node:a1',
      issuer: 'k3s-client-ca@1600000000',
      notBefore: '2026-06-01T00:00:00Z',
      notAfter: '2027-06-01T00:00:00Z',
    },
  ],
  devices: { pci: [], usb: [] },
  modules: [],
}

/** Objects of a cluster that most tests have none of. */
export const noObjects: Pick<
  ClusterFacts,
  | 'apiGroups'
  | 'persistentVolumeClaims'
  | 'storageClasses'
  | 'workloads'
  | 'webhooks'
  | 'leases'
  | 'addons'
  | 'helmCharts'
  | 'customResources'
> = {
  apiGroups: {},
  persistentVolumeClaims: [],
  storageClasses: [],
  workloads: [],
  webhooks: [],
  leases: [],
  addons: [],
  helmCharts: [],
  customResources: [],
}
