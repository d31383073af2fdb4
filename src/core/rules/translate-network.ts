import type { Rule } from '../findings.ts'

/** Texts about addresses, names and wifi. */
export const networkTexts = {
  'TRN-NET-PORTS-UNKNOWN': {
    severity: 'low',
    title: 'The ports of the machine are not known',
    text: () => ({
      summary: 'the network ports of the machine are not known: the settings are for every wired port',
      diagnosis:
        'k3OS does DHCP on every wired port. Names differ between kernels, so ports are best matched by MAC.',
      remediations: [{ type: 'command', text: 'k3os-migrate translate --inventory inventory.yaml' }],
    }),
  },
  'TRN-NET-ANY-PORT': {
    severity: 'medium',
    title: 'A connman section names no port',
    text: ({ section, file, port }: { section: string; file: string; port: string | null }) => ({
      summary:
        port === null
          ? `[${section}] of ${file} has neither MAC nor DeviceName: it is carried for every wired port`
          : `[${section}] of ${file} has neither MAC nor DeviceName: it is carried for ${port}, the only port that is up`,
      diagnosis:
        'connman uses such a section for every wired port, so two ports with a cable would share the address.',
      remediations: [{ type: 'hint', text: 'add MAC=… of the port to the section' }],
    }),
  },
  'TRN-NET-LATER-SECTION': {
    severity: 'medium',
    title: 'Two connman sections are for the same port',
    text: ({ section, file, port }: { section: string; file: string; port: string }) => ({
      summary: `[${section}] of ${file} is not carried: a later section is for ${port} too`,
      diagnosis: 'connman applies the last one that fits.',
    }),
  },
  'TRN-NET-NAME-ONLY': {
    severity: 'medium',
    title: 'A port is known by name only',
    text: ({ name }: { name: string }) => ({
      summary: `the port ${name} is matched by name, as its MAC is not known: the target may name it otherwise`,
      remediations: [
        { type: 'hint', text: 'add MAC=… to the connman section, or translate from an inventory' },
      ],
    }),
  },
  'TRN-NET-MISSING-PORT': {
    severity: 'medium',
    title: 'A configured port is not in the machine',
    text: ({ port }: { port: string }) => ({
      summary: `the port ${port} is configured, but the node has no such port`,
      remediations: [{ type: 'hint', text: 'drop the section, or correct its MAC or DeviceName' }],
    }),
  },
  'TRN-NET-CONNMAN-UNREAD': {
    severity: 'medium',
    title: 'A part of a connman file is not carried',
    text: ({ file, what }: { file: string; what: string }) => ({
      summary: `${file}: ${what}`,
      remediations: [{ type: 'hint', text: 'compare with the address the node has: ip addr; ip route' }],
    }),
  },
  'TRN-NET-SETTINGS-FILE': {
    severity: 'medium',
    title: 'A file of connman has no equivalent',
    text: ({ file }: { file: string }) => ({
      summary: `${file} only means something to connman and is not carried`,
      remediations: [{ type: 'hint', text: 'compare with the address the node has: ip addr; ip route' }],
    }),
  },
  'TRN-NET-SAVED-FILE': {
    severity: 'medium',
    title: 'Network settings were found on the node that no configuration makes',
    text: ({ file }: { file: string }) => ({
      summary: `${file} is carried as it lies on the node, though no write_files entry makes it`,
      diagnosis: 'Somebody wrote it by hand, or an older configuration did; connman still uses it.',
    }),
  },
  'TRN-NET-BY-COMMAND': {
    severity: 'high',
    title: 'A command sets addresses',
    text: ({ list, live }: { list: string; live: string | null }) => ({
      summary: `a ${list} sets network addresses itself: that is not translated`,
      diagnosis:
        live === null
          ? 'The target would come up with DHCP, perhaps under another address.'
          : `The node has now: ${live}. The target would come up with DHCP, perhaps under another address.`,
      remediations: [
        {
          type: 'hint',
          text: 'write a file /var/lib/connman/default.config with a section [service_eth0]: Type=ethernet, MAC=…, IPv4=ADDRESS/MASK/GATEWAY, Nameservers=…',
        },
      ],
    }),
  },
  'TRN-NET-LIVE-DIFFERS': {
    severity: 'high',
    title: 'The node has other addresses than configured',
    text: ({ port, configured, live }: { port: string; configured: string; live: string }) => ({
      summary: `${port} is configured with ${configured} but has ${live}: the configured one is carried`,
      diagnosis: 'The cluster may know the node by the address it has now.',
      remediations: [{ type: 'hint', text: 'decide which is right, and correct the connman section' }],
    }),
  },
  'TRN-NET-SEVERAL-ADDRESSES': {
    severity: 'medium',
    title: 'A port has more addresses than DHCP gives',
    text: ({ port, live }: { port: string; live: string }) => ({
      summary: `${port} has the addresses ${live}, though its configuration is DHCP: the target asks DHCP only`,
      diagnosis:
        'One of them comes from somewhere else: a command, or a virtual address of keepalived, kube-vip or MetalLB.',
    }),
  },
  'TRN-WIFI-EAP': {
    severity: 'high',
    title: 'A wifi network with a login is not carried',
    text: ({ ssid }: { ssid: string }) => ({
      summary: `the wifi network ${ssid} uses EAP, which is not translated`,
      remediations: [
        { type: 'hint', text: 'write its login by hand: "auth" of netplan, or a network of wpa_supplicant' },
      ],
    }),
  },
  'TRN-WIFI-PASSPHRASE': {
    severity: 'high',
    title: 'A wifi passphrase is none',
    text: ({ ssid }: { ssid: string }) => ({
      summary: `the passphrase of the wifi network ${ssid} is none that WPA knows: the network is not carried`,
      diagnosis:
        'It has 8 to 63 characters, or is a key of 64 hexadecimal digits. k3OS does not connect with another either; netplan and wpa_supplicant refuse the whole file, and with it every other network.',
      remediations: [{ type: 'hint', text: 'correct its passphrase, or take the network out of k3os.wifi' }],
    }),
  },
  'TRN-WIFI-PACKAGES': {
    severity: 'high',
    title: 'Wifi needs packages that the image lacks',
    text: ({ packages }: { packages: string }) => ({
      summary: `wifi only works if the image has ${packages}`,
      diagnosis: 'Without a cable the node cannot fetch them itself, so it would not be reachable.',
      remediations: [
        {
          type: 'hint',
          text: 'put the packages into the image before writing it, or connect a cable for the move',
        },
      ],
    }),
  },
  'TRN-DNS-FALLBACK-LOST': {
    severity: 'medium',
    title: 'A fallback name server is not carried',
    text: ({ server, target }: { server: string; target: string }) => ({
      summary: `the fallback name server ${server} is not carried: ${target} has no such thing`,
      diagnosis:
        'k3OS asks it when neither DHCP nor the port gives name servers. Set as a name server, it would be asked always.',
      remediations: [
        {
          type: 'hint',
          text: 'see that DHCP gives name servers, or add Nameservers=… to the connman section',
        },
      ],
    }),
  },
  'TRN-NTP-PRIMARY': {
    severity: 'low',
    title: 'A fallback time server is asked always',
    text: ({ server, program, target }: { server: string; program: string; target: string }) => ({
      summary: `the time server ${server} is asked always: ${program} on ${target} has no fallbacks`,
      diagnosis: 'k3OS asks it only when the network gives no time server.',
    }),
  },
  'TRN-NET-GUESSED-PORT': {
    severity: 'medium',
    title: 'A port is known by a guess',
    text: ({ port, target }: { port: string; target: string }) => ({
      summary: `the ports of the machine are not known, and ${target} needs their names: settings for every port are for ${port} only`,
      diagnosis: 'k3OS sets up every wired port, whatever its name.',
      remediations: [{ type: 'command', text: 'k3os-migrate translate --inventory inventory.yaml' }],
    }),
  },
  'TRN-WIFI-NONE': {
    severity: 'high',
    title: 'The target has no wifi',
    text: ({ ssid, target }: { ssid: string; target: string }) => ({
      summary: `the wifi network ${ssid} is not carried: ${target} has no wifi`,
      diagnosis: 'Without a cable the node would not be reachable.',
      remediations: [
        {
          type: 'hint',
          text: 'connect a cable for good, or choose a target with wifi: debian, ubuntu, alpine, microos',
        },
      ],
    }),
  },
  'TRN-WIFI-DROPPED': {
    severity: 'medium',
    title: 'A wifi entry without a name',
    text: () => ({ summary: 'a wifi entry has no name, so k3OS never connects to it: not carried' }),
  },
} satisfies Record<`TRN-${string}`, Rule<never>>
