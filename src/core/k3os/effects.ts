import type { K3osConfig } from './config.ts'

/**
 * What k3OS does with a merged configuration in one phase, as data. The order of `effects` is the order in which k3OS
 * acts (rancher/k3os pkg/cc/apply.go). Translators read them, an applier executes them; nobody derives them again.
 */
export type Phase = 'initrd' | 'boot' | 'runtime' | 'install'

/** Every effect names the configuration values it comes from, so that a translator can account for each leaf. */
interface Origin {
  readonly from: readonly string[]
}

export type Effect = Origin &
  (
    | { readonly kind: 'module'; readonly name: string; readonly parameters: readonly string[] }
    /** `file` is below `/proc/sys`, with slashes: `net/ipv4/ip_forward`. */
    | { readonly kind: 'sysctl'; readonly key: string; readonly file: string; readonly value: string }
    | { readonly kind: 'hostname'; readonly name: string }
    /** `mode` is 0-0o777; `owner` is what `chown` gets, '' for none. `content` are bytes after decoding. */
    | {
        readonly kind: 'file'
        readonly path: string
        readonly mode: number
        readonly owner: string
        readonly content: Uint8Array
      }
    | { readonly kind: 'environment'; readonly variables: Readonly<Record<string, string>> }
    | {
        readonly kind: 'command'
        readonly list: 'init_cmd' | 'boot_cmd' | 'run_cmd'
        readonly command: string
      }
    /** `/etc/connman/main.conf`; servers are fallbacks only, used when DHCP or a static service gives none. */
    | {
        readonly kind: 'fallback-servers'
        readonly nameservers: readonly string[]
        readonly timeservers: readonly string[]
      }
    | {
        readonly kind: 'wifi'
        readonly networks: readonly { readonly name: string; readonly passphrase: string }[]
      }
    | {
        readonly kind: 'password'
        readonly user: string
        readonly password: string
        readonly encrypted: boolean
      }
    /** `url` is set when the entry must be fetched at runtime (`github:`, `gitlab:`, http). */
    | { readonly kind: 'ssh-key'; readonly user: string; readonly key: string; readonly url: string | null }
    | { readonly kind: 'data-sources'; readonly names: readonly string[] }
    | {
        readonly kind: 'k3s'
        readonly program: string
        readonly args: readonly string[]
        readonly environment: Readonly<Record<string, string>>
      }
    | { readonly kind: 'installer' }
    /** k3OS would skip or fail here; the applier goes on (commands: the list ends). */
    | { readonly kind: 'error'; readonly message: string }
  )

export interface EffectsContext {
  readonly phase: Phase
  /** Content of `/run/k3os/mode`; '' when unknown. */
  readonly mode: string
  /** `v0.22.2-k3s2r0`: value of the label `k3os.io/version`. */
  readonly k3osVersion: string
  /** Whether `/sbin/k3s` exists; without it the k3s service is not written at boot. */
  readonly hasK3s: boolean
}

/** What k3OS does with a merged configuration in one phase, in its order. Pure and total. */
export function effects(config: K3osConfig, context: EffectsContext): readonly Effect[] {
  throw new Error(`not written yet: ${context.phase} of ${Object.keys(config).length} keys`)
}
