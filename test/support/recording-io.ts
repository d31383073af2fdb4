import type { CommandIo } from '../../src/commands/io.ts'
import { strip } from '../../src/output/style.ts'

export interface RecordingIo extends CommandIo {
  /** All of stdout and stderr so far, without marks. */
  stdout(): string
  stderr(): string
}

/** A terminal that writes down what it is told. Nobody can be asked unless `answers` are given. */
export function recordingIo(cwd: string, changes: Partial<CommandIo> = {}): RecordingIo {
  let stdout = ''
  let stderr = ''
  return {
    out: (text) => {
      stdout += strip(text)
    },
    err: (text) => {
      stderr += strip(text)
    },
    cwd,
    env: {},
    interactive: false,
    columns: undefined,
    signal: new AbortController().signal,
    ask: () => Promise.resolve(undefined),
    askSecret: () => Promise.resolve(undefined),
    stdout: () => stdout,
    stderr: () => stderr,
    ...changes,
  }
}
