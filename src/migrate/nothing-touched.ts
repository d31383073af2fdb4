import { MigrateError } from '../core/errors.ts'

/**
 * A failure that is undone wherever it happens: the disk is as it was, or k3OS runs again. No wait goes on after it, as waiting
 * does not mend it.
 */
export class NothingTouched extends MigrateError {
  constructor(why: MigrateError) {
    super(why.message, { exitCode: why.exitCode, ...(why.hint === undefined ? {} : { hint: why.hint }) })
  }
}
