import { allCommands, type CommandNode, type Value } from '../../core/command-tree.ts'
import { sh } from '../../core/shell.ts'

/**
 * Completion for bash 3.2 and newer, without the package bash-completion: words before the cursor choose the command,
 * the word before it may be a flag that wants a value.
 */
export function bashCompletion(root: CommandNode): string {
  const commands = allCommands(root)
  const cases = commands.map(([path, command]) => {
    const words = command.commands.map(({ name }) => name)
    const flags = command.flags.flatMap(({ names }) => names)
    return `    ${sh(path.join(' '))})
      commands=${sh(words.join(' '))}
      flags=${sh(flags.join(' '))}
      argument=${sh(argumentKind(command))}
      ;;`
  })
  const values = commands.flatMap(([path, { flags }]) =>
    flags.flatMap(({ names, value }) =>
      value === null
        ? []
        : names.map((name) => `    ${sh([...path, name].join(' '))}) value=${sh(kindText(value))} ;;`),
    ),
  )
  return `# bash completion for k3os-migrate. To have it in every shell:
#   k3os-migrate completion bash > ~/.local/share/bash-completion/completions/k3os-migrate
# or in this one:
#   source <(k3os-migrate completion bash)

# Sets commands, flags and argument of the command that these words name; fails for words that name none.
__k3os_migrate_command() {
  case "$1" in
${cases.join('\n')}
    *) return 1 ;;
  esac
}

# Sets what a flag of a command wants: words, <file>, <folder> or <other>; nothing when it wants nothing.
__k3os_migrate_value() {
  value=
  case "$1" in
${values.join('\n')}
  esac
}

__k3os_migrate_offer() { # KIND CURRENT
  case "$1" in
    '<file>') COMPREPLY=($(compgen -f -- "$2")) ;;
    '<folder>') COMPREPLY=($(compgen -d -- "$2")) ;;
    '<other>') COMPREPLY=() ;;
    *) COMPREPLY=($(compgen -W "$1" -- "$2")) ;;
  esac
}

_k3os_migrate() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}"
  local path='' word index commands flags argument value
  __k3os_migrate_command ''
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    case "$word" in -*) continue ;; esac
    if __k3os_migrate_command "\${path:+$path }$word"; then
      path="\${path:+$path }$word"
    fi
    __k3os_migrate_command "$path"
  done
  COMPREPLY=()
  # bash cuts words at "=".
  if [ "$current" = '=' ]; then
    current=''
  elif [ "$previous" = '=' ]; then
    previous="\${COMP_WORDS[COMP_CWORD - 2]}"
  fi
  __k3os_migrate_value "\${path:+$path }$previous"
  if [ -n "$value" ]; then
    __k3os_migrate_offer "$value" "$current"
    return
  fi
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$flags" -- "$current")) ;;
    *)
      if [ -n "$commands" ]; then
        COMPREPLY=($(compgen -W "$commands" -- "$current"))
      fi
      if [ \${#COMPREPLY[@]} -eq 0 ] && [ -n "$argument" ]; then
        __k3os_migrate_offer "$argument" "$current"
      fi
      ;;
  esac
}

complete -o filenames -F _k3os_migrate k3os-migrate
`
}

function argumentKind({ arguments: [first] }: CommandNode): string {
  return first === undefined ? '' : kindText(first.value)
}

function kindText(value: Value): string {
  return value.kind === 'words' ? value.words.join(' ') : `<${value.kind}>`
}
