import type { Bundle } from './bundle.ts'
import { evidenceOf, firstLine } from './facts/evidence.ts'
import { publicHostKeyPaths, publicKey } from './facts/ssh-keys.ts'
import type { NodeFacts } from './inventory.ts'

/** What must go to the node's next system and nowhere else: never printed, planned, logged or journaled. */
export interface NodeSecrets {
  /** `/etc/rancher/node/password` without the newline; null when there is none or it could not be read. */
  readonly nodePassword: string | null
  readonly sshHostKeys: readonly SshHostKey[]
  readonly registriesYaml: string | null
  /** `/home/rancher/.ssh/authorized_keys` as it is. */
  readonly authorizedKeys: string | null
  /** The cluster's token as a server keeps it; null on agents, whose token is in their configuration. */
  readonly token: string | null
  /** What could not be read, as opposed to what does not exist. */
  readonly failures: NodeFacts['failures']
}

export interface SshHostKey {
  /** `ssh-ed25519`, `ssh-rsa`, `ecdsa-sha2-nistp256`. */
  readonly type: string
  /** The private key file as it is. */
  readonly privateKey: string
  /** One line without comment. */
  readonly publicKey: string
}

export function nodeSecrets(bundle: Bundle): NodeSecrets {
  const evidence = evidenceOf(bundle)
  const text = (path: string): string | null => evidence.text(path) ?? null
  return {
    nodePassword:
      firstLine(text('/etc/rancher/node/password')) ?? firstLine(text('/var/lib/rancher/k3os/node/password')),
    sshHostKeys: publicHostKeyPaths(bundle).flatMap((path) => {
      const pair = publicKey(text(path) ?? '')
      const privateKey = text(path.replace(/\.pub$/, ''))
      return pair === undefined || privateKey === null
        ? []
        : [{ type: pair.type, privateKey, publicKey: pair.publicKey }]
    }),
    registriesYaml: text('/etc/rancher/k3s/registries.yaml'),
    authorizedKeys: text('/home/rancher/.ssh/authorized_keys'),
    token: firstLine(text('/var/lib/rancher/k3s/server/token')),
    failures: evidence.failures,
  }
}
