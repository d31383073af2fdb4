import type { NewHostKey } from '../adapters/ssh.ts'
import type { CommandIo } from './io.ts'

/** Asks for one key at a time, however many hosts are read at once. Only a typed "yes" is one. */
export function confirmHostKey(io: CommandIo): (key: NewHostKey) => Promise<boolean> {
  let before: Promise<unknown> = Promise.resolve()
  return async (key) => {
    const mine = before.then(async () => {
      if (io.signal.aborted) return false
      io.err(`The SSH host key of ${key.place} is not known: ${key.type} ${key.fingerprint}\n`)
      io.err('Compare it at the machine: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\n')
      const answer = await io.ask(`Type "yes" to trust it and add it to ${key.knownHostsFile}:`)
      return answer?.trim() === 'yes'
    })
    before = mine
    return mine
  }
}
