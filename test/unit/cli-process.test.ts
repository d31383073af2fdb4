import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

/* What only a process of its own can show. Everything else about the command line is in program.test.ts. */

const root = fileURLToPath(new URL('../../', import.meta.url))
const cli = join(root, 'src/cli.ts')
let dir = ''
let environment: NodeJS.ProcessEnv = {}

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'k3os-migrate-cli-'))
  const { NO_COLOR: _, FORCE_COLOR: __, ...inherited } = process.env
  environment = { ...inherited, XDG_CACHE_HOME: join(dir, 'cache'), XDG_STATE_HOME: join(dir, 'state') }
  writeFileSync(join(dir, 'config.yaml'), 'hostname: shop-1\n')
})
afterAll(() => {
  rmSync(dir, { recursive: true, force: true })
})

interface Ended {
  readonly exit: number | string | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs Node with a closed stdin, in the temporary folder. */
async function node(args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return run(process.execPath, args, more)
}

async function run(program: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(
      program,
      args,
      { cwd: dir, env: { ...environment, ...more }, maxBuffer: 64 * 1024 * 1024 },
      (_, stdout, stderr) => resolve({ exit: child.exitCode ?? child.signalCode, stdout, stderr }),
    )
    child.stdin?.end()
  })
}

describe('exit codes and streams', () => {
  test('--version: the answer on stdout, nothing on stderr', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    expect(await node([cli, '--version'])).toEqual({ exit: 0, stdout: `${version}\n`, stderr: '' })
  })

  test('no argument is a question for help', async () => {
    const bare = await node([cli])
    expect(bare).toMatchObject({ exit: 0, stderr: '' })
    expect(bare.stdout).toBe((await node([cli, '--help'])).stdout)
  })

  test('an unknown command: 64, nothing on stdout', async () => {
    expect(await node([cli, 'asses'])).toEqual({
      exit: 64,
      stdout: '',
      stderr: "error: unknown command 'asses' (did you mean assess?)\nhint: k3os-migrate --help\n",
    })
  })

  test('with -o json a usage error is JSON on stderr', async () => {
    const { exit, stdout, stderr } = await node([cli, 'assess', '-o', 'json', '--no-such'])
    expect({ exit, stdout }).toEqual({ exit: 64, stdout: '' })
    expect(JSON.parse(stderr)).toMatchObject({
      kind: 'Error',
      exit: 64,
      message: "unknown option '--no-such'",
      hint: 'k3os-migrate assess --help',
    })
  })

  test('a file that is not there: 74 and what to type', async () => {
    const { exit, stdout, stderr } = await node([cli, 'translate', 'missing.yaml', '--target', 'debian'])
    expect({ exit, stdout }).toEqual({ exit: 74, stdout: '' })
    expect(stderr).toMatch(/^error: .*missing\.yaml.*\nhint: k3os-migrate .*\n$/)
  })

  test('a mistake of the tool itself: 1, with a stack and where to go', async () => {
    const { exit, stderr } = await node(
      fixture("exit = await runCli(['demo'], { demo: async () => async () => null.x })"),
    )
    expect(exit).toBe(1)
    expect(stderr).toMatch(/^error: this is a mistake in k3os-migrate itself.*\nTypeError: .*\n {4}at /)
    expect(stderr).toMatch(/\nhint: .*\n$/)
  })
})

describe('a reader that goes away', () => {
  test('--help | head -1 ends quietly with 0', async () => {
    const { stdout, stderr } = await run('bash', [
      '-c',
      '"$0" "$@" | head -1; echo "${PIPESTATUS[0]}"',
      process.execPath,
      cli,
      '--help',
    ])
    expect({ stdout, stderr }).toEqual({ stdout: 'Usage: k3os-migrate [options] [command]\n0\n', stderr: '' })
  })

  test('more than a pipe holds ends quietly with 0', async () => {
    const { stdout, stderr } = await run('bash', [
      '-c',
      '"$0" "$@" | head -1; echo "${PIPESTATUS[0]}"',
      process.execPath,
      ...fixture("terminalIo().out('line\\n'.repeat(1_000_000))"),
    ])
    expect({ stdout, stderr }).toEqual({ stdout: 'line\n0\n', stderr: '' })
  })

  test('a slow reader gets everything', async () => {
    const { stdout } = await run('bash', [
      '-c',
      '"$0" "$@" | { sleep 0.3; wc -c; }',
      process.execPath,
      ...fixture("terminalIo().out('line\\n'.repeat(1_000_000))"),
    ])
    expect(stdout.trim()).toBe('5000000')
  })
})

describe('nobody at the keyboard', () => {
  test('a closed stdin is no person to ask', async () => {
    const { stdout } = await node(fixture('console.log(terminalIo().interactive)'))
    expect(stdout).toBe('false\n')
  })

  test('colours stay away from files and pipes', async () => {
    const { stdout } = await node(fixture("terminalIo().out(mark('bad', 'text'))"))
    expect(stdout).toBe('text')
  })

  test('FORCE_COLOR brings them back', async () => {
    const { stdout } = await node(fixture("terminalIo().out(mark('ok', 'text'))"), { FORCE_COLOR: '1' })
    expect(stdout).toBe('\u001b[32mtext\u001b[39m')
  })
})

describe('what is loaded', () => {
  test('--version loads no package', async () => {
    expect((await loaded(['--version'])).packages).toEqual([])
  })

  test.each(['--help', 'apply --help', 'asses', 'apply --no-such-flag'])(
    '%s loads the parser, and no command',
    async (line) => {
      const { packages, own } = await loaded(line.split(' '))
      expect(packages).toEqual(['commander'])
      expect(own.filter((file) => /^(translators|src\/(commands|migrate|simulation))\//.test(file))).toEqual(
        [],
      )
    },
  )

  test('translating one file waits for neither schemas nor network libraries', async () => {
    const { packages } = await loaded(['translate', 'config.yaml', '--target', 'debian'])
    for (const heavy of ['zod', 'ssh2', '@kubernetes/client-node', 'undici', 'inquirer'])
      expect(packages).not.toContain(heavy)
  })
})

describe('Ctrl-C', () => {
  const waits = `{ demo: async () => async (_, io) => {
    io.signal; io.err('ready\\n'); await new Promise((resolve) => setTimeout(resolve, 60_000)); return 0 } }`
  const listens = `{ demo: async () => async (_, io) => {
    const stopped = new Promise((_, reject) => io.signal.addEventListener('abort', () => reject(io.signal.reason)))
    const alive = setTimeout(() => {}, 60_000)
    io.err('ready\\n'); try { await stopped } finally { clearTimeout(alive) } return 0 } }`
  const deaf = `{ demo: async () => async (_, io) => {
    io.err('ready\\n'); await new Promise((resolve) => setTimeout(resolve, 60_000)); return 0 } }`
  const stopping = 'ready\n\nstopping after the current action; once more stops at once\n'

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    '%s ends a command that listens with %i and the command to type again',
    async (signal, exit) => {
      const child = start(`exit = await runCli(['demo', '--out', 'a b'], ${listens})`)
      await says(child, 'ready\n')
      child.kill(signal)
      expect(await ended(child)).toEqual({
        exit,
        stderr: `${stopping}error: stopped before it was done\nhint: k3os-migrate demo --out 'a b'\n`,
      })
    },
  )

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('a second %s stops at once with %i', async (signal, exit) => {
    const child = start(`exit = await runCli(['demo'], ${waits})`)
    await says(child, 'ready\n')
    child.kill(signal)
    await says(child, stopping)
    expect(child.exitCode).toBeNull()
    child.kill(signal)
    expect(await ended(child)).toEqual({ exit, stderr: stopping })
  })

  test('ends a command that never looks at the signal as any program', async () => {
    const child = start(`exit = await runCli(['demo'], ${deaf})`)
    await says(child, 'ready\n')
    child.kill('SIGINT')
    expect(await ended(child)).toEqual({ exit: 'SIGINT', stderr: 'ready\n' })
  })
})

/** Arguments for Node to run `code` with the real boundary and terminal. */
function fixture(code: string): string[] {
  const url = (file: string) => JSON.stringify(new URL(`../../src/${file}`, import.meta.url).href)
  return [
    '--input-type=module',
    '--eval',
    `import { runCli } from ${url('main.ts')}
    import { terminalIo } from ${url('adapters/terminal.ts')}
    import { mark } from ${url('output/style.ts')}
    let exit = 0
    ${code}
    process.exitCode = exit
    void [runCli, terminalIo, mark]`,
  ]
}

const heard = new WeakMap<ChildProcess, { text: string }>()

function start(code: string): ChildProcess {
  const child = spawn(process.execPath, fixture(code), {
    cwd: dir,
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const said = { text: '' }
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.text += text))
  heard.set(child, said)
  return child
}

async function says(child: ChildProcess, text: string): Promise<void> {
  await expect.poll(() => heard.get(child)?.text, { timeout: 15_000 }).toBe(text)
}

async function ended(child: ChildProcess): Promise<{ exit: number | string | null; stderr: string }> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'close')
  return { exit: child.exitCode ?? child.signalCode, stderr: heard.get(child)?.text ?? '' }
}

/** Which files Node loads to carry out a command line: ours, and the packages of the others. */
async function loaded(
  argv: readonly string[],
): Promise<{ readonly own: readonly string[]; readonly packages: readonly string[] }> {
  const list = join(dir, `loaded-${argv.join('-').replaceAll(/\W/g, '')}.json`)
  const hook = `import { registerHooks } from 'node:module'
    import { writeFileSync } from 'node:fs'
    const urls = []
    registerHooks({ load(url, context, next) { urls.push(url); return next(url, context) } })
    process.on('exit', () => writeFileSync(${JSON.stringify(list)}, JSON.stringify(urls)))`
  await node(['--import', `data:text/javascript,${encodeURIComponent(hook)}`, cli, ...argv])
  const urls = JSON.parse(readFileSync(list, 'utf8')) as readonly string[]
  const files = urls.filter((url) => url.startsWith('file:')).map((url) => fileURLToPath(url))
  const packages = files.flatMap((file) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? [])
  return {
    own: files
      .filter((file) => file.startsWith(root) && !file.includes('/node_modules/'))
      .map((file) => file.slice(root.length)),
    packages: [...new Set(packages)].toSorted(),
  }
}
