import type { Finding } from '../findings.ts'
import type { ConfigPath } from '../path.ts'

/**
 * What the node must be on any target, computed once from k3OS's effects and the facts of the machine. A target renders
 * it in its own words and adds nothing k3OS would not have done. Each part names the values it comes from (`from`), so
 * that a translator can trace them; `from` is empty for what k3OS does by itself.
 */
export interface HostModel {
  readonly hostname: Traced<string> | null
  readonly user: {
    readonly name: string
    readonly uid: number
    readonly password: (Traced<string> & { readonly encrypted: boolean }) | null
    /** Literal keys: from the configuration and those already on the node (`from` is empty then). */
    readonly authorizedKeys: readonly Traced<string>[]
    /** `github:…`, `gitlab:…` and URLs whose keys are not known, to be fetched when moving. */
    readonly keySources: readonly (Traced<string> & { readonly url: string })[]
  }
  /** Every file k3OS writes, those for k3OS alone included: `purpose` says what a target can do with it. */
  readonly files: readonly HostFile[]
  readonly commands: readonly HostCommand[]
  readonly modules: readonly (Traced<string> & { readonly parameters: readonly string[] })[]
  /** k3OS's own defaults first (`from` is empty), configured ones after them; `file` is below `/proc/sys`. */
  readonly sysctls: readonly (Traced<string> & { readonly key: string; readonly file: string })[]
  /** Variables for logins, commands and k3s. */
  readonly environment: readonly (Traced<string> & { readonly name: string })[]
  /** Fallbacks: used when nothing else gives servers. */
  readonly fallbackNameservers: readonly Traced<string>[]
  readonly fallbackTimeservers: readonly Traced<string>[]
  readonly network: NetworkModel
  readonly k3s: K3sModel
  /** SSH host keys of the node, so that the pinned key still holds after the move. Secret. */
  readonly sshHostKeys: readonly {
    readonly type: string
    readonly privateKey: string
    readonly publicKey: string
  }[]
  /** What the model itself drops or doubts; targets add their own. */
  readonly findings: readonly Finding[]
}

export interface Traced<T> {
  readonly value: T
  readonly from: readonly ConfigPath[]
}

/** A file k3OS writes at every boot. */
export interface HostFile {
  readonly path: string
  readonly mode: number
  /** What `chown` gets, '' for root. */
  readonly owner: string
  readonly content: Uint8Array
  readonly from: readonly ConfigPath[]
  readonly purpose: FilePurpose
}

/**
 * What a file is for. `ephemeral`: below /run, /tmp or /dev, empty again at each boot. `unwritable`: k3OS itself could not
 * write it (its read-only /usr, or /proc and /sys, which refuse its temporary file).
 */
export type FilePurpose =
  | 'plain'
  | 'ephemeral'
  | 'k3s-manifest'
  | 'k3s-config'
  | 'connman'
  | 'openrc'
  | 'local-d'
  | 'environment'
  | 'unwritable'

export interface HostCommand {
  /** `boot`: before the network; `run`: after it, before k3s. Every boot, `sh -c`, the list ends at the first failure. */
  readonly when: 'boot' | 'run'
  readonly command: string
  /** Programs it calls that only k3OS (Alpine, OpenRC, connman) has; names of `alpineTools`. */
  readonly alpineTools: readonly string[]
  readonly from: readonly ConfigPath[]
}

export interface NetworkModel {
  /** What k3OS would bring up: one per wired port when the ports are known, else one for what is configured. */
  readonly ports: readonly NetworkPort[]
  readonly wifi: WifiModel | null
}

/** Addressing of one port, as connman would do it. */
export interface Addressing {
  readonly dhcp4: boolean
  /** IPv6 by router advertisement, DHCPv6 when it says so; `off` means no IPv6 at all on this port. */
  readonly ipv6: 'auto' | 'static' | 'off'
  readonly ipv6Privacy: boolean
  /** CIDR texts. */
  readonly addresses: readonly string[]
  readonly gateways: readonly string[]
  readonly nameservers: readonly string[]
  readonly searchDomains: readonly string[]
}

export interface NetworkPort extends Addressing {
  /** Matched by MAC (lower case) wherever known: names change with the kernel. Neither: every wired port. */
  readonly mac: string | null
  readonly name: string | null
  /** Nothing waits for a port without a cable. */
  readonly optional: boolean
  readonly from: readonly ConfigPath[]
}

export interface WifiModel extends Addressing {
  readonly mac: string | null
  readonly name: string | null
  readonly networks: readonly {
    readonly ssid: string
    /** '' for an open network. */
    readonly passphrase: string
    readonly hidden: boolean
    readonly from: readonly ConfigPath[]
  }[]
}

/** The k3s part: flags as `config.yaml` wants them. */
export interface K3sModel {
  readonly role: 'server' | 'agent' | 'none'
  /** `v1.22.2+k3s2`; the node's own, null when unknown. */
  readonly version: string | null
  /** Keys of `/etc/rancher/k3s/config.yaml` in order; a list for flags that may repeat. Without token and server. */
  readonly settings: readonly K3sSetting[]
  /** The words that chose role and configuration file; they arrive as the kind of the service. */
  readonly roleFrom: readonly ConfigPath[]
  /** Goes to a file of its own (`token-file`), never on a command line. */
  readonly token: Traced<string> | null
  readonly serverUrl: Traced<string> | null
  /** False for k3s before 1.19.1: the settings become arguments in the unit. */
  readonly configFileSupported: boolean
  readonly registries: Traced<string> | null
  /** Content of `/etc/rancher/node/password`. Secret. */
  readonly nodePassword: string | null
  /** Environment of the service. May hold secrets. */
  readonly environment: readonly (Traced<string> & { readonly name: string })[]
  /** A cgroup v1 hierarchy is needed (k3s before 1.20.4). */
  readonly needsCgroupV1: boolean
}

export interface K3sSetting {
  readonly key: string
  readonly value: string | boolean | readonly string[]
  readonly from: readonly ConfigPath[]
}
