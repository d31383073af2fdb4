import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { templateTools } from '../../../src/adapters/templates.ts'

const tools = templateTools()

it('escapes nothing: units and scripts are no HTML', () => {
  const unit = tools.render('linux/release.path.hbs', { release: '/a=b&c', unit: '"x"' })
  expect(unit).toContain('PathChanged=/a=b&c\nUnit="x"\n')
})

it('throws when a variable is missing', () => {
  expect(() => tools.render('linux/release.path.hbs', { release: '/a' })).toThrow(/"unit" not defined/)
})

it.each(['plain', "it's", '$HOME `id` "x" \\', 'two\nlines', '{{x}} & <y>', ''])(
  'hands %j to a shell as one word',
  (command) => {
    const commands = [{ command, carried: false, tools: 'x', shell: 'sh' }]
    // What is not carried stands behind `:`, the command that does nothing with its words.
    const script = tools
      .render('linux/commands.sh.hbs', { list: 'run_cmd', commands })
      .replace('\n: ', "\nprintf '<%s>' ")
    expect(spawnSync('sh', ['-c', script], { encoding: 'utf8' }).stdout).toBe(`<${command}>`)
  },
)
