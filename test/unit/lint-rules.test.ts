import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

/*
 * A rule that has silently stopped to match looks exactly like clean code. So every architectural rule is broken once on
 * purpose, in a project of its own with the real configuration.
 */

const root = fileURLToPath(new URL('../../', import.meta.url))

interface Planted {
  readonly file: string
  readonly code: string
  /** Part of what the linter must say; undefined: nothing may be said. */
  readonly said: string | undefined
}

const imports = (file: string, module: string, said: string | undefined): Planted => ({
  file,
  code: `import * as it from '${module}'\nexport const used = it\n`,
  said,
})

const noIo = 'core does no I/O'
const onlyCore = 'core imports only core'
const pure = 'translators are pure'
const ownFolder = 'a translator imports src/core, its own folder and what Linux targets share'
const renderers = 'renderers turn core data into text'
const ports = 'steps use ports'
const simulated = 'a simulation implements ports and touches nothing'
const implement = 'adapters implement ports'
const onlyProgram = 'only program.ts imports commands'

const importRules: readonly Planted[] = [
  imports('src/core/reads.ts', 'node:fs', noIo),
  imports('src/core/reads-promises.ts', 'node:fs/promises', noIo),
  imports('src/core/asks.ts', '@kubernetes/client-node', noIo),
  imports('src/core/logs-in.ts', 'ssh2', noIo),
  imports('src/core/prompts.ts', 'inquirer', noIo),
  imports('src/core/parses.ts', 'commander', noIo),
  imports('src/core/renders.ts', 'handlebars', noIo),
  { file: 'src/core/lazy.ts', code: "export const load = () => import('node:fs')\n", said: noIo },
  { file: 'src/core/passes-on.ts', code: "export { x } from '../adapters/x.ts'\n", said: onlyCore },
  imports('src/core/k3os/deep.ts', '../../adapters/kube/x.ts', onlyCore),
  imports('src/core/uses-yaml.ts', 'yaml', undefined),
  imports('src/core/uses-core.ts', './x.ts', undefined),

  imports('translators/first/reads.ts', 'node:fs', pure),
  imports('translators/first/renders.ts', 'handlebars', pure),
  imports('translators/first/registry.ts', '../index.ts', ownFolder),
  imports('translators/first/sibling.ts', '../second/x.ts', ownFolder),
  imports('translators/first/deep/sibling.ts', '../../second/x.ts', ownFolder),
  imports('translators/first/adapters.ts', '../../src/adapters/x.ts', ownFolder),
  imports('translators/first/deep/output.ts', '../../../src/output/x.ts', ownFolder),
  imports('translators/linux/target.ts', '../first/x.ts', ownFolder),
  imports('translators/first/shared.ts', '../linux/x.ts', undefined),
  imports('translators/first/deep/shared.ts', '../../linux/x.ts', undefined),
  imports('translators/first/core.ts', '../../src/core/x.ts', undefined),
  imports('translators/first/deep/core.ts', '../../../src/core/x.ts', undefined),
  imports('translators/first/deep/own.ts', '../own.ts', undefined),

  imports('src/output/reads.ts', 'node:fs', renderers),
  imports('src/output/report/acts.ts', '../../migrate/x.ts', renderers),
  imports('src/output/writes.ts', '../adapters/x.ts', renderers),
  imports('src/output/translates.ts', '../../translators/index.ts', renderers),
  imports('src/output/core.ts', '../core/x.ts', undefined),

  imports('src/migrate/reads.ts', 'node:fs/promises', ports),
  imports('src/migrate/spawns.ts', 'node:child_process', ports),
  imports('src/migrate/steps/logs-in.ts', 'ssh2', ports),
  imports('src/migrate/steps/asks.ts', '@kubernetes/client-node', ports),
  imports('src/migrate/steps/adapter.ts', '../../adapters/x.ts', ports),
  imports('src/migrate/steps/core.ts', '../../core/x.ts', undefined),

  imports('src/simulation/reads.ts', 'node:fs', simulated),
  imports('src/simulation/adapter.ts', '../adapters/x.ts', simulated),
  imports('src/simulation/command.ts', '../commands/x.ts', simulated),
  imports('src/simulation/runner.ts', '../migrate/runner.ts', simulated),
  imports('src/simulation/ports.ts', '../migrate/ports.ts', undefined),
  imports('src/simulation/core.ts', '../core/x.ts', undefined),
  imports('src/simulation/libraries.ts', 'zod', undefined),

  imports('src/adapters/step.ts', '../migrate/steps/x.ts', implement),
  imports('src/adapters/kube/runner.ts', '../../migrate/runner.ts', implement),
  imports('src/adapters/translates.ts', '../../translators/index.ts', implement),
  imports('src/adapters/plays.ts', '../simulation/x.ts', implement),
  imports('src/adapters/ports.ts', '../migrate/ports.ts', undefined),
  imports('src/adapters/world.ts', 'node:fs', undefined),

  imports('src/main.ts', './commands/x.ts', onlyProgram),
  imports('src/adapters/command.ts', '../commands/x.ts', implement),
  imports('src/migrate/command.ts', '../commands/x.ts', ports),
  imports('src/output/command.ts', '../commands/x.ts', renderers),
  imports('src/program.ts', './commands/x.ts', undefined),
  imports('src/commands/other.ts', './x.ts', undefined),
  imports('src/commands/adapter.ts', '../adapters/x.ts', undefined),
]

const plant = (file: string, code: string, said: string | undefined): Planted => ({ file, code, said })
const global = (file: string, expression: string): Planted =>
  plant(
    file,
    `export const used = ${expression}\n`,
    `Unexpected use of '${/^\w+/.exec(expression)?.[0] ?? ''}'`,
  )

const codeRules: readonly Planted[] = [
  global('src/core/now.ts', 'Date.now()'),
  global('src/core/environment.ts', 'process.env'),
  global('src/core/bytes.ts', "Buffer.from('')"),
  global('src/core/asks-the-net.ts', "fetch('/')"),
  global('src/core/waits.ts', 'setTimeout'),
  global('src/core/repeats.ts', 'setInterval'),
  global('src/core/measures.ts', 'performance.now()'),
  global('translators/first/now.ts', 'Date.now()'),
  global('translators/first/environment.ts', 'process.env'),
  global('src/output/environment.ts', 'process.env'),
  global('src/migrate/now.ts', 'Date.now()'),
  global('src/migrate/waits.ts', 'setTimeout'),
  global('src/simulation/waits.ts', 'setTimeout'),
  plant('src/core/dice.ts', 'export const used = Math.random()\n', 'Math.random'),
  plant('translators/first/dice.ts', 'export const used = Math.random()\n', 'Math.random'),
  plant('src/commands/prints.ts', "console.log('')\nexport const used = 1\n", 'no-console'),
  plant('src/commands/exits.ts', 'export const used = () => process.exit(1)\n', 'no-process-exit'),
  plant('src/commands/standard.ts', 'export default 1\n', 'no-default-export'),
  plant('src/commands/CamelCase.ts', 'export const used = 1\n', 'filename-case'),
  plant('src/commands/any.ts', 'export const used = (value: any) => value\n', 'no-explicit-any'),
  plant(
    'src/commands/bang.ts',
    'export const used = (value: string | undefined) => value!\n',
    'no-non-null-assertion',
  ),
  plant(
    'src/commands/floating.ts',
    'export function used(act: () => Promise<void>): void {\n  act()\n}\n',
    'no-floating-promises',
  ),
  plant(
    'src/commands/misused.ts',
    'export const used = (act: () => Promise<boolean>) => (act() ? 1 : 2)\n',
    'no-misused-promises',
  ),
  plant(
    'src/commands/await-nothing.ts',
    'export async function used(): Promise<void> {\n  await 1\n}\n',
    'await-thenable',
  ),
  plant(
    'src/commands/loses-stack.ts',
    'export async function used(act: () => Promise<void>): Promise<void> {\n  try {\n    return act()\n  } finally {\n    void 0\n  }\n}\n',
    'return-await',
  ),
  plant(
    'src/commands/switches.ts',
    "export function used(value: 'a' | 'b'): void {\n  switch (value) {\n    case 'a':\n      break\n  }\n}\n",
    'switch-exhaustiveness-check',
  ),
  plant('src/core/ring-a.ts', "import { b } from './ring-b.ts'\nexport const a = () => b\n", 'no-cycle'),
  plant('src/core/ring-b.ts', "import { a } from './ring-a.ts'\nexport const b = () => a\n", 'no-cycle'),
]

let project = ''
const saidIn = new Map<string, readonly string[]>()

/** Every other folder of `src` is forbidden to core, also the one that somebody adds tomorrow. */
const folders = readdirSync(join(root, 'src'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'core')
  .map((entry) => imports(`src/core/uses-${entry.name}.ts`, `../${entry.name}/x.ts`, onlyCore))

const planted = [...importRules, ...codeRules, ...folders]

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'k3os-migrate-lint-'))
  for (const file of ['.oxlintrc.json', 'tsconfig.json']) cpSync(join(root, file), join(project, file))
  symlinkSync(join(root, 'node_modules'), join(project, 'node_modules'))
  for (const { file, code } of planted) {
    mkdirSync(dirname(join(project, file)), { recursive: true })
    writeFileSync(join(project, file), code)
  }
  const oxlint = spawnSync(
    process.execPath,
    [join(root, 'node_modules/oxlint/bin/oxlint'), '--type-aware', '--format', 'json', 'src', 'translators'],
    { cwd: project, encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 },
  )
  const { diagnostics } = JSON.parse(oxlint.stdout) as { readonly diagnostics: readonly Diagnostic[] }
  for (const { filename, code, message, help } of diagnostics)
    saidIn.set(filename, [...(saidIn.get(filename) ?? []), `${code} ${message} ${help ?? ''}`])
})
afterAll(() => {
  rmSync(project, { recursive: true, force: true })
})

interface Diagnostic {
  readonly filename: string
  readonly code: string
  readonly message: string
  readonly help?: string
}

describe('a planted violation is found', () => {
  test.each(planted.filter(({ said }) => said !== undefined))('$file', ({ file, said }) => {
    expect(saidIn.get(file)).toEqual(expect.arrayContaining([expect.stringContaining(said ?? '')]))
  })
})

describe('what the rules allow is let through', () => {
  test.each(planted.filter(({ said }) => said === undefined))('$file', ({ file }) => {
    expect(saidIn.get(file) ?? []).toEqual([])
  })
})
