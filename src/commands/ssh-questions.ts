import type { SshOptions } from '../adapters/ssh.ts'
import type { CommandIo } from './io.ts'

/** What a person is asked while nodes are reached: one question at a time, however many hosts are read at once. */
export function sshQuestions(io: CommandIo): Required<Pick<SshOptions, 'confirmHostKey' | 'askPassphrase'>> {
  let before: Promise<unknown> = Promise.resolve()
  const inTurn = async <T>(ask: () => Promise<T>): Promise<T | undefined> => {
    const mine = before.then(async () => (io.signal.aborted ? undefined : ask()))
    before = mine
    return mine
  }
  return {
    async confirmHostKey(key) {
      const answer = await inTurn(async () => {
        io.err(`The SSH host key of ${key.place} is not known: ${key.type} ${key.fingerprint}\n`)
        io.err('Compare it at the machine: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\n')
        return io.ask(`Type "yes" to trust it and add it to ${key.knownHostsFile}:`)
      })
      // Only a typed "yes" is one.
      return answer?.trim() === 'yes'
    },
    askPassphrase: async (file) => inTurn(async () => io.askSecret(`Passphrase of ${file}:`)),
  }
}
