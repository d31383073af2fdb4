import { MigrateError } from '../core/errors.ts'

/** Nothing more may be done, not even an undo, and nothing more may be written down: another process may be at it. */
export class Halt extends MigrateError {}
