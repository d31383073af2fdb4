import { exitCode, MigrateError } from '../core/errors.ts'
import type { LeaseChange, LeaseState, LeaseStore } from '../migrate/ports.ts'

/** The Lease of a simulated cluster: one object, changed by whoever names its newest version. */
export function simulatedLease(isUp: () => boolean = () => true): LeaseStore {
  let now: LeaseState | undefined
  let versions = 0
  const answer = (verb: string): void => {
    if (isUp()) return
    throw new MigrateError(`${verb} lease: the API server does not answer`, {
      exitCode: exitCode.blocked,
      hint: 'wait until the server is back',
      transient: true,
    })
  }
  const store = (before: LeaseState | undefined, change: LeaseChange): LeaseState => {
    versions += 1
    const { annotations: changed = {}, ...rest } = change
    const annotations: Record<string, string> = { ...before?.annotations }
    for (const [key, value] of Object.entries(changed)) {
      if (value === null) delete annotations[key]
      else annotations[key] = value
    }
    const nobody = { holder: null, durationSeconds: 0, acquiredAt: null, renewedAt: null, transitions: 0 }
    now = { ...nobody, ...before, ...rest, annotations, version: String(versions) }
    return now
  }
  return {
    where: 'simulation',
    async read() {
      answer('get')
      return now
    },
    async create(change) {
      answer('create')
      return now === undefined ? store(undefined, change) : undefined
    },
    async update(version, change) {
      answer('patch')
      return now?.version === version ? store(now, change) : undefined
    },
  }
}
