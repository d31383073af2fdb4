import type { Rule } from '../findings.ts'

/** Texts about systems that come as whole images: Kairos and Elemental. */
export const imageTexts = {
  'TRN-IMAGE-BUILD': {
    severity: 'medium',
    title: 'The image has to be built',
    text: ({ target, version }: { target: string; version: string }) => ({
      summary: `${target} has k3s in its image: the one with k3s ${version} has to be built, the recipe is in the output`,
      diagnosis:
        'The published images carry the newest lines of k3s only. A node must not be newer than the servers it joins, and the first move keeps the version.',
      remediations: [{ type: 'command', text: 'sh build-image.sh' }],
    }),
  },
  'TRN-IMAGE-K3S-OLD': {
    severity: 'medium',
    title: 'An old k3s on a new system',
    text: ({ target, version }: { target: string; version: string }) => ({
      summary: `nobody has reported k3s ${version} on ${target}: move one node first, and watch it`,
    }),
  },
  'TRN-ELEMENTAL-END': {
    severity: 'medium',
    title: 'Elemental with k3s has an end',
    text: () => ({
      summary: 'SL Micro 6.2 is the last base of Elemental 2 and is supported until 2029-11-30',
      diagnosis:
        'Elemental 2 is removed from SL Micro 6.3, and Elemental 3 knows RKE2 only: there is no way on that keeps k3s.',
      remediations: [{ type: 'command', text: 'k3os-migrate translate config.yaml --compare' }],
      links: ['https://github.com/SUSE/release-notes/pull/154'],
    }),
  },
  'TRN-ELEMENTAL-UNTRIED': {
    severity: 'medium',
    title: 'Nobody documents this composition',
    text: () => ({
      summary:
        'k3s beside a standalone Elemental image is put together here and documented by nobody: try it on a spare machine',
    }),
  },
  'TRN-IMAGE-NO-WIFI': {
    severity: 'inhibitor',
    waivable: true,
    title: 'The image has no programs for Wi-Fi',
    text: ({ target }: { target: string }) => ({
      summary: `the node uses Wi-Fi, and the images of ${target} have no supplicant: it would not come back`,
      diagnosis:
        'The networks are carried, so that an image of your own with the programs and firmware can use them.',
      remediations: [
        { type: 'hint', text: 'add a cable, or build an image with wpa_supplicant and the firmware' },
      ],
    }),
  },
  'TRN-RANCHER-NEW-CLUSTER': {
    severity: 'high',
    title: 'Rancher makes a new cluster',
    text: () => ({
      summary: 'the node does not come back to its cluster: Rancher provisions a new one, and nothing else',
      diagnosis:
        'The provisioning API has no field for a server outside, and an imported cluster takes no Elemental nodes. Workloads and their data have to be moved.',
      remediations: [
        { type: 'hint', text: 'HANDOVER.md in the output has the order of steps' },
        { type: 'command', text: 'k3os-migrate translate --target elemental' },
      ],
      links: ['https://github.com/rancher/rancher/issues/45101'],
    }),
  },
  'TRN-RANCHER-OWN': {
    severity: 'info',
    title: 'Rancher does it itself',
    text: ({ what, how }: { what: string; how: string }) => ({ summary: `${what} is not carried: ${how}` }),
  },
  'TRN-RANCHER-NAME': {
    severity: 'high',
    title: 'The node gets another name',
    text: ({ name, becomes }: { name: string; becomes: string }) => ({
      summary: `${name} becomes ${becomes}: a name in Rancher is lower case and has no dots`,
      diagnosis:
        'Whatever names the node has to be changed: node selectors, volumes bound to it, monitoring.',
    }),
  },
  'TRN-RANCHER-VERSION': {
    severity: 'medium',
    title: 'The new cluster runs a newer k3s',
    text: ({ from, to }: { from: string; to: string }) => ({
      summary: `the new cluster runs k3s ${to}, the old one ${from}: API versions in between may be gone`,
      remediations: [{ type: 'command', text: 'k3os-migrate assess' }],
    }),
  },
  'TRN-UEFI-ONLY': {
    severity: 'high',
    title: 'The target starts on UEFI only',
    text: ({ target }: { target: string }) => ({
      summary: `the machine starts by BIOS, and ${target} has no boot loader for it`,
      remediations: [
        { type: 'hint', text: 'switch the firmware to UEFI if it can, or choose another target' },
      ],
    }),
  },
} satisfies Record<`TRN-${string}`, Rule<never>>
