import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

/* What people get: the packed and installed tool, not the sources. */

const root = fileURLToPath(new URL('../../', import.meta.url))
const oldNode = findOldNode()
let dir = ''
let files: readonly string[] = []

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'k3os-migrate-pack-'))
  const answer = npm(root, ['pack', '--json', '--pack-destination', dir])
  const [tarball] = JSON.parse(answer.slice(answer.indexOf('[\n'))) as readonly Tarball[]
  if (tarball === undefined) throw new Error(`npm pack made nothing: ${answer}`)
  files = tarball.files.map(({ path }) => path)
  writeFileSync(join(dir, 'package.json'), '{ "private": true }')
  npm(dir, ['install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', tarball.filename])
})
afterAll(() => {
  rmSync(dir, { recursive: true, force: true })
})

interface Tarball {
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

test('the tarball holds the build and what a reader needs, nothing else', () => {
  const outside = files.filter((file) => !file.startsWith('dist/'))
  expect(outside.toSorted()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'])
  const folders = new Set(files.flatMap((file) => /^dist\/([^/]+)/.exec(file)?.[1] ?? []))
  expect([...folders].toSorted()).toEqual(['THIRD-PARTY-NOTICES.txt', 'examples', 'src', 'templates'])
  expect(files.filter((file) => /\.(ts|map|tsbuildinfo)$|\.test\./.test(file))).toEqual([])
})

test('licences of everything that is bundled go with it', () => {
  const notices = readFileSync(join(dir, 'node_modules/k3os-migrate/dist/THIRD-PARTY-NOTICES.txt'), 'utf8')
  for (const bundled of ['commander', 'handlebars', 'yaml', 'zod']) expect(notices).toContain(`${bundled} `)
})

describe('installed', () => {
  test.each(['k3os-migrate', 'kubectl-k3os_migrate'])('%s starts', (bin) => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    expect(run(bin, ['--version'])).toEqual({ exit: 0, stdout: `${version}\n`, stderr: '' })
  })

  test('the collector is the one of the sources', () => {
    const { exit, stdout } = run('k3os-migrate', ['inventory', 'script'])
    expect(exit).toBe(0)
    expect(stdout).toBe(readFileSync(join(root, 'templates/collector/collect.sh'), 'utf8'))
  })

  test('translate writes the same bytes as the sources do', () => {
    const translate = ['translate', join(root, 'bench/config.yaml'), '--target', 'debian', '--out']
    expect(run('k3os-migrate', [...translate, 'packed']).exit).toBe(0)
    const sources = spawnSync(process.execPath, [
      join(root, 'src/cli.ts'),
      ...translate,
      join(dir, 'sources'),
    ])
    expect(sources.status).toBe(0)
    const filesIn = (folder: string): string[] =>
      readdirSync(join(dir, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(join(dir, folder), join(entry.parentPath, entry.name)))
        .toSorted()
    const files = filesIn('sources/shop-0001')
    expect(files).not.toEqual([])
    expect(filesIn('packed/shop-0001')).toEqual(files)
    for (const file of files)
      expect(readFileSync(join(dir, 'packed/shop-0001', file), 'utf8')).toBe(
        readFileSync(join(dir, 'sources/shop-0001', file), 'utf8'),
      )
  })

  test('the demo finds its cluster, and moves it', () => {
    const { exit, stderr } = run('k3os-migrate', ['demo', '--out', 'demo'])
    expect(stderr).not.toContain('mistake in k3os-migrate')
    expect(exit).toBe(0)
  })
})

if (oldNode === undefined)
  process.stderr.write('skipped: no Node.js older than 24.15 here to start the built tool with\n')

test.skipIf(oldNode === undefined)('an older Node.js is told what is wanted', () => {
  const cli = join(dir, 'node_modules/k3os-migrate/dist/src/cli.js')
  const { status, stdout, stderr } = spawnSync(oldNode ?? '', [cli, 'demo'], { encoding: 'utf8' })
  expect({ status, stdout }).toEqual({ status: 64, stdout: '' })
  expect(stderr).toMatch(
    /^error: k3os-migrate needs Node.js 24.15 or newer; this is \d+\.\d+\.\d+\nhint: \S+\n$/,
  )
})

function npm(cwd: string, args: readonly string[]): string {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

function run(
  bin: string,
  args: readonly string[],
): { readonly exit: number | null; readonly stdout: string; readonly stderr: string } {
  const env = {
    ...process.env,
    PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
    XDG_CACHE_HOME: join(dir, 'cache'),
  }
  const program = join(dir, 'node_modules/.bin', bin)
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: dir,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return { exit: status, stdout, stderr }
}

/** The Node.js of the machine, when it is too old for the tool. */
function findOldNode(): string | undefined {
  const candidates = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/local/bin']
  return candidates
    .map((folder) => join(folder, 'node'))
    .find((path) => {
      const { stdout } = spawnSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8' })
      const [major = 0, minor = 0] = (stdout ?? '').split('.').map(Number)
      return major > 0 && (major < 24 || (major === 24 && minor < 15))
    })
}
