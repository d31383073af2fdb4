import type { Finding } from '../findings.ts'
import type { ConfigPath } from '../path.ts'

/**
 * What the node must be on any target, computed once from k3OS's effects and the facts of the machine. A target renders
 * it in its own words and adds nothing k3OS would not have done. Each part names the values it comes from (`from`), so
 * that a translator can trace them.
 */
export interface HostModel {
  readonly hostname: Traced<string> | null
  readonly user: {
    readonly name: string
    readonly uid: number
    readonly password: (Traced<string> & { readonly encrypted: boolean }) | null
    /** Literal keys: from the configuration and those already on the node (`from` is empty then). */
    readonly authorizedKeys: readonly Traced<string>[]
    /** `github:…`, `gitlab:…` and URLs, to be fetched when moving. */
    readonly keySources: readonly (Traced<string> & { readonly url: string })[]
  }
  readonly files: readonly HostFile[]
  readonly commands: readonly HostCommand[]
  readonly modules: readonly (Traced<string> & { readonly parameters: readonly string[] })[]
  readonly sysctls: readonly (Traced<string> & { readonly key: string })[]
  /** Variables for logins and for k3s. */
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
  readonly findings: readonly Finding[]
}

export interface Traced<T> {
  readonly value: T
  readonly from: readonly ConfigPath[]
}

/** A file k3OS would write; `secret` files are rendered 0600 and never printed. */
export interface HostFile {
  readonly path: string
  readonly mode: number
  readonly owner: string
  readonly content: Uint8Array
  readonly from: readonly ConfigPath[]
  /** What the file is for; decides what a target does with it. */
  readonly purpose:
    | 'plain'
    | 'k3s-manifest'
    | 'k3s-config'
    | 'connman'
    | 'openrc'
    | 'local-d'
    | 'environment'
    | 'kernel-interface'
}

export interface HostCommand {
  /** `boot`: before the network; `run`: after it, before k3s. Every boot, `sh -c`, the list ends at the first failure. */
  readonly when: 'boot' | 'run'
  readonly command: string
  readonly from: readonly ConfigPath[]
}

export interface NetworkModel {
  readonly ports: readonly NetworkPort[]
  readonly wifi: readonly {
    readonly ssid: string
    readonly passphrase: string
    readonly from: readonly ConfigPath[]
  }[]
}

export interface NetworkPort {
  /** Matched by MAC wherever known: names change with the kernel. */
  readonly mac: string | null
  readonly name: string | null
  readonly dhcp4: boolean
  readonly dhcp6: boolean
  readonly acceptRa: boolean
  /** CIDR texts. */
  readonly addresses: readonly string[]
  readonly gateways: readonly string[]
  readonly nameservers: readonly string[]
  readonly searchDomains: readonly string[]
  readonly from: readonly ConfigPath[]
}

/** The k3s part: flags as `config.yaml` wants them. */
export interface K3sModel {
  readonly role: 'server' | 'agent' | 'none'
  /** `v1.22.2+k3s2`; the node's own, null when unknown. */
  readonly version: string | null
  /** Keys of `/etc/rancher/k3s/config.yaml` in order; a list for flags that may repeat. */
  readonly settings: readonly {
    readonly key: string
    readonly value: string | boolean | readonly string[]
    readonly from: readonly ConfigPath[]
  }[]
  readonly token: Traced<string> | null
  readonly serverUrl: Traced<string> | null
  /** Arguments that config.yaml cannot carry on this version (k3s before 1.19.1): they go into the unit. */
  readonly configFileSupported: boolean
  readonly registries: Traced<string> | null
  /** Content of `/etc/rancher/node/password`. Secret. */
  readonly nodePassword: string | null
  readonly environment: readonly (Traced<string> & { readonly name: string })[]
  /** A cgroup v1 hierarchy is needed (k3s before 1.20.4). */
  readonly needsCgroupV1: boolean
}
