import { allCommands, type CommandNode, type Flag, type Value } from '../../core/command-tree.ts'
import { sh } from '../../core/shell.ts'

/** Completion for zsh by its own `_arguments`: one function for each command. */
export function zshCompletion(root: CommandNode): string {
  const functions = allCommands(root).map(([path, command]) => commandFunction(path, command))
  return `#compdef k3os-migrate
# zsh completion for k3os-migrate: write it to a file _k3os-migrate in a folder of $fpath, before compinit.
#   k3os-migrate completion zsh > "\${fpath[1]}/_k3os-migrate"

${functions.join('\n')}
if [ "$funcstack[1]" = _k3os-migrate ]; then
  _k3os-migrate "$@"
else
  compdef _k3os-migrate k3os-migrate
fi
`
}

function functionName(path: readonly string[]): string {
  return ['_k3os-migrate', ...path].join('-')
}

function commandFunction(path: readonly string[], command: CommandNode): string {
  const specs = command.flags.flatMap(flagSpecs)
  if (command.commands.length === 0) {
    const [argument] = command.arguments
    const rest = argument === undefined ? [] : [sh(`*:${argument.name}:${action(argument.value)}`)]
    return `${functionName(path)}() {
  _arguments -s ${[...specs, ...rest].join(' ')}
}
`
  }
  const described = command.commands.map(({ name, description }) => sh(`${name}:${description}`))
  const cases = command.commands.map(({ name }) => `    ${name}) ${functionName([...path, name])} ;;`)
  return `${functionName(path)}() {
  local line state
  _arguments -s -C ${[...specs, sh('1: :->command'), sh('*::argument:->rest')].join(' ')}
  case "$state" in
    command)
      local -a commands
      commands=(${described.join(' ')})
      _describe command commands
${command.arguments.length === 0 ? '' : `      ${valueCommand(command.arguments[0]?.value)}\n`}      ;;
    rest)
      case "$line[1]" in
${cases.map((line) => `  ${line}`).join('\n')}
      esac
      ;;
  esac
}
`
}

function valueCommand(value: Value | undefined): string {
  switch (value?.kind) {
    case 'file':
      return '_files'
    case 'folder':
      return '_files -/'
    case 'words':
      return `compadd ${value.words.map(sh).join(' ')}`
    case 'other':
    case undefined:
      return ':'
  }
}

function flagSpecs({ names, description, value }: Flag): string[] {
  const text = description.replace(/[[\]:\\]/g, (character) => `\\${character}`)
  return names.map((name) => {
    if (value === null) return sh(`${name}[${text}]`)
    const wants = name.startsWith('--') ? `${name}=` : `${name}+`
    return sh(`${wants}[${text}]:value:${action(value)}`)
  })
}

function action(value: Value): string {
  switch (value.kind) {
    case 'words':
      return `(${value.words.join(' ')})`
    case 'file':
      return '_files'
    case 'folder':
      return '_files -/'
    case 'other':
      return ' '
  }
}
