import { allCommands, type CommandNode, type Value } from '../../core/command-tree.ts'

/** Completion for fish 3 and newer: one line for each command and flag. */
export function fishCompletion(root: CommandNode): string {
  const lines = allCommands(root).flatMap(([path, command]) => [
    ...command.commands.map(({ name, description }) =>
      line(path, command, ['-f', '-a', quoted(name), '-d', quoted(description)]),
    ),
    ...command.flags.map(({ names, description, value }) =>
      line(path, null, [...names.flatMap(flagWords), ...valueWords(value), '-d', quoted(description)]),
    ),
    ...command.arguments.slice(0, 1).map(({ value }) => line(path, null, argumentWords(value))),
  ])
  return `# fish completion for k3os-migrate:
#   k3os-migrate completion fish > ~/.config/fish/completions/k3os-migrate.fish

# True when the words so far, flags apart, begin with these.
function __k3os_migrate_at
  set -l words (commandline -opc | string match -v -- '-*')[2..]
  set -l count (count $argv)
  test (count $words) -ge $count; or return 1
  test $count -eq 0; and return 0
  test "$words[1..$count]" = "$argv"
end

# True when the word behind these is none of the commands that follow "--".
function __k3os_migrate_before
  set -l words (commandline -opc | string match -v -- '-*')[2..]
  set -l at (contains -i -- -- $argv)
  set -l path
  test $at -gt 1; and set path $argv[1..(math $at - 1)]
  set -l next (math (count $path) + 1)
  __k3os_migrate_at $path; or return 1
  not contains -- "$words[$next]" $argv[(math $at + 1)..]
end

complete -c k3os-migrate -e
complete -c k3os-migrate -f
${lines.join('\n')}
`
}

/** `parent`: only as long as none of its commands was typed. */
function line(path: readonly string[], parent: CommandNode | null, words: readonly string[]): string {
  const condition =
    parent === null
      ? ['__k3os_migrate_at', ...path].join(' ')
      : ['__k3os_migrate_before', ...path, '--', ...parent.commands.map(({ name }) => name)].join(' ')
  return ['complete', '-c', 'k3os-migrate', '-n', quoted(condition), ...words].join(' ')
}

function flagWords(name: string): string[] {
  return name.startsWith('--') ? ['-l', name.slice(2)] : ['-s', name.slice(1)]
}

function valueWords(value: Value | null): string[] {
  switch (value?.kind) {
    case undefined:
      return []
    case 'words':
      return ['-x', '-a', quoted(value.words.join(' '))]
    case 'file':
      return ['-r', '-F']
    case 'folder':
      return ['-x', '-a', quoted('(__fish_complete_directories)')]
    case 'other':
      return ['-x']
  }
}

function argumentWords(value: Value): string[] {
  switch (value.kind) {
    case 'words':
      return ['-f', '-a', quoted(value.words.join(' '))]
    case 'file':
      return ['-F']
    case 'folder':
      return ['-f', '-a', quoted('(__fish_complete_directories)')]
    case 'other':
      return ['-f']
  }
}

/** fish knows two escapes in single quotes. */
function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, (character) => `\\${character}`)}'`
}
