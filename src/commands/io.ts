/**
 * What a command may use of the terminal. `out` is the answer (stdout, data only), `err` the conversation (stderr).
 * Created once in `cli.ts`; tests pass a recording one.
 */
export interface CommandIo {
  out(text: string): void
  err(text: string): void
  /** Working directory for relative paths. */
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** True when a person can be asked: stdin and stderr are terminals and `CI` is not set. */
  readonly interactive: boolean
  /** Width of the terminal that shows the answer; undefined when it goes to a file or pipe. */
  readonly columns: number | undefined
  /** Aborted at Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal
  /** Asks for a line of text; undefined = no answer, which never means yes. Only to be called when `interactive`. */
  ask(question: string): Promise<string | undefined>
  /** The same for what must not be seen on the screen. */
  askSecret(question: string): Promise<string | undefined>
}
