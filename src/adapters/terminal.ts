import { writeSync } from 'node:fs'
import { styleText } from 'node:util'
import { exitCode } from '../core/errors.ts'
import { paint, strip, type Role } from '../output/style.ts'

const colours: Readonly<Record<Role, Parameters<typeof styleText>[0]>> = {
  ok: 'green',
  warn: 'yellow',
  bad: ['red', 'bold'],
  name: 'bold',
  dim: 'dim',
}

/**
 * The only writer to the terminal; what a command gets as `CommandIo`. Colours are decided for the stream that is written
 * to. A command that never looks at `signal` is ended by Ctrl-C as any program is.
 */
export function terminalIo() {
  let signal: AbortSignal | undefined
  return {
    out: (text: string) => write(stdout, text),
    err: (text: string) => write(stderr, text),
    cwd: process.cwd(),
    env: process.env,
    get interactive() {
      return isInteractive()
    },
    get columns() {
      return process.stdout.isTTY ? process.stdout.columns : undefined
    },
    get signal() {
      return (signal ??= stopSignal())
    },
    ask: (question: string) => ask(question, 'input'),
    askSecret: (question: string) => ask(question, 'password'),
  }
}

function isInteractive(): boolean {
  const ci = process.env['CI']
  // Undefined, not false, for what is no terminal, whatever the types say.
  const terminals = Boolean(process.stdin.isTTY) && Boolean(process.stderr.isTTY)
  return terminals && (ci === undefined || ci === '' || ci === 'false')
}

interface Sink {
  readonly fd: number
  readonly stream: NodeJS.WriteStream
}
// Made when first looked at: a stream costs more than all the rest of `--version`.
const stdout: Sink = {
  fd: 1,
  get stream() {
    return process.stdout
  },
}
const stderr: Sink = {
  fd: 2,
  get stream() {
    return process.stderr
  },
}

function coloured(text: string, sink: Sink): string {
  const plainText = strip(text)
  if (plainText === text) return text
  const { stream } = sink
  if (!stream.isTTY && process.env['FORCE_COLOR'] === undefined) return plainText
  return paint(text, (role, span) => styleText(colours[role], span, { stream }))
}

function write(sink: Sink, text: string): void {
  // Synchronous, so that nothing is lost when the process ends right after; a pipe may be full for a moment.
  const bytes = Buffer.from(coloured(text, sink))
  for (let offset = 0; offset < bytes.length;) {
    try {
      offset += writeSync(sink.fd, bytes, offset)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (code === 'EAGAIN') {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
        continue
      }
      // The reader has gone (`| head -1`): it has what it wanted.
      if (code === 'EPIPE') process.exit(process.exitCode ?? exitCode.ok)
      throw error
    }
  }
}

/** Once: finish what must not be cut, then pause. Twice: stop now; the journal is consistent at every moment. */
function stopSignal(): AbortSignal {
  const controller = new AbortController()
  const listen = (signal: 'SIGINT' | 'SIGTERM', code: number) => {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(code)
      write(stderr, '\nstopping after the current action; once more stops at once\n')
      controller.abort(signal)
    })
  }
  listen('SIGINT', exitCode.interrupted)
  listen('SIGTERM', exitCode.terminated)
  return controller.signal
}

/**
 * Asks for a line of text; only called when `interactive`. End of input is "no answer", never "yes". The library itself would
 * wait for ever after Ctrl-D, or when the terminal goes away, as long as anything else keeps the process alive.
 */
async function ask(question: string, type: 'input' | 'password'): Promise<string | undefined> {
  const { default: inquirer } = await import('inquirer')
  const over = new AbortController()
  const end = (): void => over.abort()
  const onKey = (_text: unknown, key?: { readonly ctrl?: boolean; readonly name?: string }): void => {
    if (key?.ctrl === true && key.name === 'd') over.abort()
  }
  const endings = ['end', 'close', 'error'] as const
  for (const event of endings) process.stdin.on(event, end)
  process.stdin.on('keypress', onKey)
  try {
    const prompt = inquirer.createPromptModule({ signal: over.signal })
    const answers = await prompt([{ type, name: 'answer', message: question }])
    return String(answers.answer)
  } catch (error) {
    const unanswered = ['ExitPromptError', 'AbortPromptError']
    if (error instanceof Error && unanswered.includes(error.name)) return undefined
    throw error
  } finally {
    for (const event of endings) process.stdin.off(event, end)
    process.stdin.off('keypress', onKey)
  }
}
