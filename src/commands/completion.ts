import type { CommandNode } from '../core/command-tree.ts'
import { exitCode, type ExitCode } from '../core/errors.ts'
import { bashCompletion } from '../output/completion/bash.ts'
import { fishCompletion } from '../output/completion/fish.ts'
import { zshCompletion } from '../output/completion/zsh.ts'
import type { CommandIo } from './io.ts'

export interface CompletionOptions {
  readonly shell: 'bash' | 'zsh' | 'fish'
  /** Every command that there is. */
  readonly tree: CommandNode
}

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const

/** Prints the completion of a shell, made from the command tree. */
export async function completion({ shell, tree }: CompletionOptions, io: CommandIo): Promise<ExitCode> {
  io.out(scripts[shell](tree))
  return exitCode.ok
}
