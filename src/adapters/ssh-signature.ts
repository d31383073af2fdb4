import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { exitCode, MigrateError } from '../core/errors.ts'
import { diskError, readIfPresent, systemCode } from './files.ts'

/** Keeps a signature made for us from counting for anything else, and the other way round. */
const signatureNamespace = 'k3os-migrate'

export type SignatureVerdict =
  /** Names the allowed signers file gives the key. */
  | { readonly status: 'valid'; readonly principals: readonly string[] }
  | { readonly status: 'invalid'; readonly reason: string }

/** OpenSSH signatures (PROTOCOL.sshsig), with the keys and the list of signers that teams have for git already. */
export interface Signatures {
  /** Armoured signature. The key is only ever named: its content, a passphrase or an agent is ssh-keygen's own business. */
  sign(keyFile: string, message: string | Uint8Array): Promise<string>
  /** With `principal` only that name counts. No network is needed. */
  verify(question: SignatureQuestion): Promise<SignatureVerdict>
}

export interface SignatureQuestion {
  /** In the form of ssh-keygen(1), ALLOWED SIGNERS. */
  readonly allowedSigners: string
  readonly signature: string
  readonly message: string | Uint8Array
  readonly principal?: string
}

export function sshSignatures(program = 'ssh-keygen'): Signatures {
  return {
    async sign(keyFile, message) {
      const { status, stdout, stderr } = await run(
        program,
        ['-Y', 'sign', '-f', keyFile, '-n', signatureNamespace],
        message,
      )
      if (status === 0 && stdout.startsWith('-----BEGIN SSH SIGNATURE-----')) return stdout
      throw new MigrateError(`ssh-keygen did not sign with ${keyFile}: ${lastLine(stderr)}`, {
        exitCode: exitCode.badInput,
        hint: 'a private key, or the public half of one that ssh-agent holds: --key ~/.ssh/id_ed25519',
      })
    },

    async verify({ allowedSigners, signature, message, principal }) {
      if ((await readIfPresent(allowedSigners)) === undefined)
        throw new MigrateError(`cannot read ${allowedSigners}: it does not exist`, {
          exitCode: exitCode.io,
          hint: 'one signer a line: NAME namespaces="k3os-migrate" ssh-ed25519 AAAA…  (man ssh-keygen, ALLOWED SIGNERS)',
        })
      return withSignatureFile(signature, async (file) => {
        const names =
          principal === undefined ? await principalsOf(program, file, allowedSigners) : [principal]
        const good: string[] = []
        let reason = 'no allowed signer has this key'
        for (const name of names) {
          const { status, stdout, stderr } = await run(
            program,
            ['-Y', 'verify', '-f', allowedSigners, '-I', name, '-n', signatureNamespace, '-s', file],
            message,
          )
          if (status === 0) good.push(name)
          else reason = lastLine(stderr || stdout)
        }
        return good.length > 0 ? { status: 'valid', principals: good } : { status: 'invalid', reason }
      })
    },
  }
}

async function principalsOf(program: string, file: string, allowedSigners: string): Promise<string[]> {
  const { status, stdout } = await run(
    program,
    ['-Y', 'find-principals', '-s', file, '-f', allowedSigners],
    '',
  )
  if (status !== 0) return []
  return stdout.split('\n').filter((line) => line !== '')
}

/** ssh-keygen takes the message on stdin, so the signature has to be a file. */
async function withSignatureFile<T>(signature: string, use: (file: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'k3os-migrate-'))
  try {
    const file = join(folder, 'signature')
    await writeFile(file, signature, { mode: 0o600 })
    return await use(file)
  } catch (error) {
    throw systemCode(error) === undefined ? error : diskError(`write to ${folder}`, error)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

async function run(program: string, argv: readonly string[], stdin: string | Uint8Array): Promise<Ended> {
  const child = spawn(program, argv, { stdio: ['pipe', 'pipe', 'pipe'] })
  // A program that ends before it has read everything is judged by what it says, not by the broken pipe.
  child.stdin.on('error', () => undefined)
  child.stdin.end(stdin)
  try {
    const [stdout, stderr, [status]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close') as Promise<[number | null]>,
    ])
    return { status, stdout, stderr }
  } catch (error) {
    throw new MigrateError(
      `cannot start ${program}: ${systemCode(error) === 'ENOENT' ? 'there is no such program' : String(error)}`,
      { exitCode: exitCode.usage, hint: 'signatures need ssh-keygen of OpenSSH 8.2 or newer', cause: error },
    )
  }
}

function lastLine(output: string): string {
  return output.trim().split('\n').at(-1)?.trim() ?? ''
}
