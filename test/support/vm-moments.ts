import { setTimeout as sleep } from 'node:timers/promises'
import type { AroundCommand } from './vm-move.ts'

/** A moment of a move in place at which the power may go. */
export interface Moment {
  readonly what: string
  /** The command of `node.sh`, and which time it is sent. */
  readonly command: string
  readonly time: number
  /** Seconds after it was sent; null: when it has answered. */
  readonly after: number | null
  /** The system that starts afterwards. */
  readonly starts: 'k3OS' | 'Debian'
}

export const moments: readonly Moment[] = [
  { what: 'while the root tree is unpacked', command: 'unpack', time: 1, after: 10, starts: 'k3OS' },
  { what: 'while its files are read back', command: 'verify', time: 1, after: 4, starts: 'k3OS' },
  { what: 'right after the menu was renamed', command: 'menu', time: 1, after: null, starts: 'k3OS' },
  { what: 'right after arming', command: 'arm', time: 2, after: null, starts: 'Debian' },
  { what: 'while the new system starts', command: 'restart', time: 2, after: 35, starts: 'k3OS' },
  {
    what: 'between the two writes of confirming',
    command: 'arm',
    time: 3,
    after: null,
    starts: 'Debian',
  },
]

/** Does this at the moment, once; `hasCome` says whether there was such a moment. */
export function atMoment(
  { command, time, after }: Moment,
  act: () => Promise<void>,
): { readonly around: AroundCommand; readonly hasCome: () => boolean } {
  let seen = 0
  let hasCome = false
  return {
    hasCome: () => hasCome,
    async around(name, send) {
      if (name === command) seen += 1
      if (name !== command || seen !== time || hasCome) return send()
      const sending = send()
      if (after === null) await sending
      else await Promise.race([sending.catch(() => {}), sleep(after * 1000)])
      // An answer may come long before the machine has done what was asked: a restart, say.
      if (after !== null && name === 'restart') await sleep(after * 1000)
      hasCome = true
      await act()
      return sending
    },
  }
}

/** Does this at each of the moments. */
export function atEachMoment(act: (moment: Moment) => Promise<void>): AroundCommand {
  return moments
    .map((moment) => atMoment(moment, async () => act(moment)).around)
    .reduce((inner, outer) => async (name, send) => outer(name, async () => inner(name, send)))
}
