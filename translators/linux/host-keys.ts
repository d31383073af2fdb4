import type { HostModel } from '../../src/core/host/model.ts'
import { rootFile, type RootFile } from './root-file.ts'

interface HostKey {
  readonly kind: string
  readonly privateKey: string
  readonly publicKey: string
}

/** SSH host keys of the kinds that OpenSSH still has; DSA is none of them. */
export function hostKeys(host: HostModel): HostKey[] {
  return host.sshHostKeys.flatMap(({ type, privateKey, publicKey }) => {
    const kind = /^(?:ssh-)?(ed25519|rsa|ecdsa)/.exec(type)?.[1]
    return kind === undefined ? [] : [{ kind, privateKey, publicKey }]
  })
}

/** The same as files, for systems without cloud-init. */
export function hostKeyFiles(host: HostModel): RootFile[] {
  return hostKeys(host).flatMap(({ kind, privateKey, publicKey }) => [
    rootFile(`/etc/ssh/ssh_host_${kind}_key`, withLineEnd(privateKey), { mode: 0o600 }),
    rootFile(`/etc/ssh/ssh_host_${kind}_key.pub`, withLineEnd(publicKey)),
  ])
}

function withLineEnd(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`
}
