import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { templateTools } from '../../../src/adapters/templates.ts'

const tools = templateTools()

/** Runs a list as the unit does; what it printed, and its status. */
function run(...commands: readonly string[]): { stdout: string; status: number | null } {
  const script = tools.render('linux/commands.sh.hbs', {
    list: 'run_cmd',
    commands: commands.map((command) => ({
      command,
      carried: !command.startsWith('rc-'),
      tools: 'rc-service',
      shell: 'bash',
    })),
  })
  const { stdout, status } = spawnSync('sh', ['-c', script], { encoding: 'utf8' })
  return { stdout, status }
}

describe('a list of commands', () => {
  it('ends at the first failure, and with its status', () => {
    expect(run('echo one', 'exit 7', 'echo never')).toEqual({ stdout: 'one\n', status: 7 })
  })

  it('runs each command in a shell of its own', () => {
    expect(run('cd /; x=1; set -e', 'echo "[$x]"; false; echo on')).toEqual({ stdout: '[]\non\n', status: 0 })
  })

  it('goes on behind a command that is not carried', () => {
    expect(run('rc-service x start', 'echo on')).toEqual({ stdout: 'on\n', status: 0 })
  })

  it('knows what busybox ash knows', () => {
    expect(run('source /dev/null; [[ a == a ]] && x=abc && echo "${x/b/-}"')).toEqual({
      stdout: 'a-c\n',
      status: 0,
    })
  })
})
