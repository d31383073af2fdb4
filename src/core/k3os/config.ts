/**
 * The merged configuration of one node in k3OS's canonical (camelCase) spelling: what `k3os config --dump-json` prints.
 * Empty values are omitted; `k3os` is always there. Shape: rancher/k3os pkg/config/config.go.
 */
export interface K3osConfig {
  readonly sshAuthorizedKeys?: readonly string[]
  readonly writeFiles?: readonly K3osFile[]
  readonly hostname?: string
  readonly initCmd?: readonly string[]
  readonly bootCmd?: readonly string[]
  readonly runCmd?: readonly string[]
  readonly k3os: K3osSection
}

export interface K3osSection {
  readonly dataSources?: readonly string[]
  readonly modules?: readonly string[]
  readonly sysctls?: Readonly<Record<string, string>>
  readonly ntpServers?: readonly string[]
  readonly dnsNameservers?: readonly string[]
  readonly wifi?: readonly K3osWifi[]
  readonly password?: string
  readonly serverUrl?: string
  readonly token?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly k3sArgs?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly taints?: readonly string[]
  readonly install?: K3osInstall
}

/** `permissions` are octal digits as text; k3OS prints all five fields of a file, empty ones included. */
export interface K3osFile {
  readonly encoding: string
  readonly content: string
  readonly owner: string
  readonly path: string
  readonly permissions: string
}

export interface K3osWifi {
  readonly name?: string
  readonly passphrase?: string
}

export interface K3osInstall {
  readonly forceEfi?: boolean
  readonly device?: string
  readonly configUrl?: string
  readonly silent?: boolean
  readonly isoUrl?: string
  readonly powerOff?: boolean
  readonly noFormat?: boolean
  readonly debug?: boolean
  readonly tty?: string
}

/** One configuration text of a node. `file` is the name to show the user (a path on the node, or below `--root`). */
export interface SourceText {
  readonly file: string
  /** Raw bytes: user data may be no text at all. */
  readonly bytes: Uint8Array
}

/** A drop-in directory entry that is not a readable file: k3OS rejects the whole configuration for it. */
export interface UnreadableSource {
  readonly file: string
  readonly unreadable: string
  /** It could not be read by us; whether k3OS can is not known. */
  readonly unknown?: boolean
}

/**
 * The six sources of `read.go`, in order of rising precedence. A missing one is absent.
 * `configD` holds every entry of the drop-in directory; the reader sorts by byte order of the name.
 */
export interface ConfigSources {
  readonly system?: SourceText | UnreadableSource
  readonly cmdline?: SourceText | UnreadableSource
  readonly local?: SourceText | UnreadableSource
  readonly localHostname?: SourceText | UnreadableSource
  readonly authorizedKeys?: SourceText | UnreadableSource
  readonly userdata?: SourceText | UnreadableSource
  readonly configD: readonly (SourceText | UnreadableSource)[]
}
