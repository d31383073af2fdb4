import { exitCode, MigrateError } from '../errors.ts'

/** Where a move in place stands, as the node says it under either system: the answer of `node.sh state`. */
export interface BesideState {
  readonly system: 'k3os' | 'new'
  readonly bootId: string
  /** Of the new system that runs; null under k3OS. */
  readonly nonce: string | null
  /** Of the attempt whose probe reboot started this k3OS. */
  readonly probe: string | null
  /** Of the new system that lies on the disk. */
  readonly placed: string | null
  /** Something of a move lies on the disk. */
  readonly traces: boolean
  /** SHA-256 of GRUB's menu. */
  readonly menu: string
  /** Entry that the next boot takes, once. */
  readonly armed: string | null
  /** Entry that every boot takes; null: k3OS. */
  readonly settled: string | null
  /** The new system does not go back by itself. */
  readonly confirmed: boolean
  /** k3OS runs without k3s. */
  readonly k3sStopped: boolean
  /** What k3OS's own system takes on the disk; null when it was removed. */
  readonly k3osMib: number | null
  /** Feature words of STATE. */
  readonly features: string
}

/** Exit 74 when something is missing: what was not said is never taken for a no. */
export function readBesideState(text: string, node: string): BesideState {
  const said = new Map(
    text.split('\n').flatMap((line) => {
      const at = line.indexOf('=')
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1).trim()] as const] : []
    }),
  )
  const word = (name: string): string => {
    const value = said.get(name)
    if (value !== undefined) return value
    throw new MigrateError(`${node} did not say its ${name}`, {
      exitCode: exitCode.io,
      hint: 'look at the machine, then run the command again',
    })
  }
  const optional = (name: string): string | null => (word(name) === '' ? null : word(name))
  return {
    system: word('system') === 'new' ? 'new' : 'k3os',
    bootId: word('boot'),
    nonce: optional('nonce'),
    probe: optional('probe'),
    placed: optional('placed'),
    traces: word('traces') === 'yes',
    menu: word('menu'),
    armed: optional('armed'),
    settled: optional('settled'),
    confirmed: word('confirmed') === 'yes',
    k3sStopped: word('k3sStopped') === 'yes',
    k3osMib: optional('k3osMib') === null ? null : Number(word('k3osMib')),
    features: word('features'),
  }
}
