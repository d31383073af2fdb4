import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { config, type ConfigOptions } from '../../../src/commands/config.ts'
import { formatBundle } from '../../../src/core/bundle.ts'
import { MigrateError } from '../../../src/core/errors.ts'
import { bundleOf } from '../../support/k3os-node.ts'
import { recordingIo, type RecordingIo } from '../../support/recording-io.ts'

const systemFile = '/k3os/system/config.yaml'
const localFile = '/var/lib/rancher/k3os/config.yaml'

/** A directory with these files below it, by their path on a node. */
function root(files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'k3os-migrate-config-'))
  onTestFinished(() => {
    rmSync(directory, { recursive: true })
  })
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), content)
  }
  return directory
}

async function run(cwd: string, options: Partial<ConfigOptions> = {}): Promise<RecordingIo> {
  const io = recordingIo(cwd)
  expect(await config({ root: '.', output: 'json', ...options }, io)).toBe(0)
  return io
}

async function failure(
  cwd: string,
  options: Partial<ConfigOptions> = {},
): Promise<{ error: MigrateError; io: RecordingIo }> {
  const io = recordingIo(cwd)
  try {
    await config({ root: '.', output: 'yaml', ...options }, io)
  } catch (error) {
    if (error instanceof MigrateError) return { error, io }
    throw error
  }
  throw new Error('the command succeeded')
}

const node = {
  [systemFile]: 'hostname: owl\nk3os: {token: canary-token, labels: {rack: r1}}\n',
  '/proc/cmdline': 'quiet k3os.password=canary-word\n',
  [localFile]: 'run_cmd: ["K3S_TOKEN=canary-token k3s check"]\n',
  '/run/k3os/mode': 'disk\n',
  '/etc/os-release': 'ID=k3os\nVERSION_ID=v0.21.5-k3s2r1\n',
}

describe('the merged configuration', () => {
  test('with --show-secrets and -o json is exactly what k3OS would dump', async () => {
    const io = await run(root(node), { showSecrets: true })
    expect(JSON.parse(io.stdout())).toEqual({
      hostname: 'owl',
      k3os: { token: 'canary-token', password: 'canary-word', labels: { rack: 'r1' }, install: {} },
      runCmd: ['K3S_TOKEN=canary-token k3s check'],
    })
    expect(io.stderr()).toBe('')
  })

  test.each(['table', 'yaml', 'json'] as const)(
    'as %s shows no secret, but that two are equal',
    async (output) => {
      for (const more of [{}, { origins: true }, { effects: 'boot' }, { effects: 'runtime' }] as const) {
        const io = await run(root(node), { output, ...more })
        expect(io.stdout() + io.stderr()).not.toContain('canary')
      }
      const shown = (await run(root(node), { output })).stdout()
      const masks = shown.match(/<redacted:[0-9a-f]{8}>/g) ?? []
      expect(masks).toHaveLength(3)
      expect(new Set(masks).size).toBe(2)
    },
  )

  test('with origins says where each value is written and what it overrode', async () => {
    const files = { ...node, [localFile]: 'hostname: barn\n' }
    const directory = root(files)
    const values = JSON.parse((await run(directory, { origins: true })).stdout()) as { path: string }[]
    expect(values.find(({ path }) => path === 'hostname')).toMatchObject({
      value: 'barn',
      source: 'local',
      place: { file: join(directory, localFile), line: 1, column: 11 },
      overrode: [{ source: 'system', place: { file: join(directory, systemFile), line: 1, column: 11 } }],
    })
    const table = (await run(directory, { origins: true, output: 'table' })).stdout()
    expect(table).toMatch(/^SETTING +VALUE +FROM +OVERRODE\n/)
    expect(table).toMatch(/^hostname +barn +\S+config\.yaml:1:11 +\S+config\.yaml:1:11$/m)
    expect(table).toMatch(/^k3os\.token +<redacted:\w+> +\S+:2:15$/m)
  })

  test('is read from a bundle by the same code', async () => {
    const directory = root({ 'owl.bundle': '' })
    writeFileSync(
      join(directory, 'owl.bundle'),
      formatBundle(bundleOf({ files: node, links: {}, commands: {} })),
    )
    const io = await run(directory, {
      root: undefined,
      bundle: 'owl.bundle',
      output: 'yaml',
      showSecrets: true,
    })
    expect(parse(io.stdout())).toMatchObject({ hostname: 'owl', k3os: { token: 'canary-token' } })
  })

  test('is read from a mounted K3OS_STATE', async () => {
    const directory = root({
      [systemFile]: 'hostname: owl\n',
      [`/k3os/data${localFile}`]: 'k3os: {modules: [tun]}\n',
    })
    expect(JSON.parse((await run(directory)).stdout())).toMatchObject({
      hostname: 'owl',
      k3os: { modules: ['tun'] },
    })
  })

  test('comes with findings on stderr, one line each', async () => {
    const directory = root({
      ...node,
      [localFile]: 'k3os: {sysctls: {fs.file-max: 2097152}, serverurl: "https://s"}\n',
    })
    const lines = (await run(directory)).stderr().trimEnd().split('\n')
    expect(lines).toEqual([
      `${join(directory, localFile)}:1:31: medium: k3os.sysctls["fs.file-max"]: k3OS reads 2097152 as "2.097152e+06"`,
      `${join(directory, localFile)}:1:41: low: serverurl works as k3os.server_url, but no other source can change it`,
    ])
  })
})

describe('what k3OS does', () => {
  test('is told in its order, one line each', async () => {
    const table = (await run(root(node), { output: 'table', effects: 'runtime' })).stdout()
    const kinds = table
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' ', 1)[0])
    expect(kinds).toEqual(['EFFECT', 'hostname', 'fallback-servers', 'password', 'command', 'k3s'])
    expect(table).toContain('--node-label k3os.io/mode=disk --node-label k3os.io/version=v0.21.5-k3s2r1')
  })

  test('in the initrd of a disk install comes from the command line only', async () => {
    const io = await run(root({ ...node, [localFile]: 'init_cmd: [x]\n' }), {
      effects: 'initrd',
      output: 'table',
    })
    expect(io.stdout()).toBe('k3OS does nothing in this phase.\n')
  })

  test('before the runtime phase is not spoilt by broken user data', async () => {
    const directory = root({ ...node, '/run/config/userdata': 'plain text\n' })
    expect((await run(directory, { effects: 'boot' })).stdout()).toContain('"kind": "hostname"')
    expect((await failure(directory, { effects: 'runtime' })).error.exitCode).toBe(65)
  })
})

describe('mistakes', () => {
  test('a rejected configuration is exit 65, with the place and what the node runs without', async () => {
    const directory = root({ ...node, [localFile]: 'k3os:\n  token: 998877\nrun_cmd: [1]\n' })
    const { error, io } = await failure(directory)
    expect(error.exitCode).toBe(65)
    expect(error.position).toEqual({ file: join(directory, localFile), line: 2, column: 10 })
    expect(error.message).toBe(
      'k3OS rejects the whole configuration: k3os.token is a number, and k3OS wants a text; ' +
        'the node runs without hostname, k3os.token, k3os.labels, k3os.password, run_cmd and k3s',
    )
    expect(error.hint).toBe('put the value in quotes')
    expect(io.stdout()).toBe('')
    expect(io.stderr()).toMatch(/config\.yaml:3:11: inhibitor: run_cmd\[0\] is a number/)
  })

  test('a folder among the drop-ins is one of them', async () => {
    const directory = root({ ...node, '/var/lib/rancher/k3os/config.d/old/a.yaml': '' })
    expect((await failure(directory)).error.message).toMatch(/config\.d\/old is a directory/)
  })

  test.each([
    ['a directory that is not there', { root: 'none' }, 74],
    ['a directory without k3OS', { root: '.' }, 65],
    ['a bundle that is not there', { root: undefined, bundle: 'none' }, 74],
  ])('%s', async (_, options, code) => {
    const { error } = await failure(root({}), options)
    expect(error.exitCode).toBe(code)
    expect(error.hint).toContain('k3os-migrate config')
  })

  test('a file the collector could not read is no rejected configuration', async () => {
    const directory = root({})
    const { [localFile]: _refused, ...files } = node
    const bundle = bundleOf({ files, links: {}, commands: {} })
    const errors = new Map([[localFile, 'permission denied']])
    writeFileSync(join(directory, 'owl.bundle'), formatBundle({ ...bundle, errors }))
    const { error } = await failure(directory, { root: undefined, bundle: 'owl.bundle' })
    expect(error.exitCode).toBe(74)
    expect(error.message).toMatch(/could not be read \(permission denied\)/)
  })

  test('a link out of the directory is not followed', async () => {
    const directory = root({ [systemFile]: 'hostname: a\n', '/var/lib/rancher/k3os/x': '' })
    symlinkSync('/etc/hostname', join(directory, localFile))
    expect((await failure(directory)).error.message).toMatch(/leads out of/)
  })

  test.skipIf(process.getuid?.() === 0)('a file we may not read is no rejected configuration', async () => {
    const directory = root(node)
    chmodSync(join(directory, systemFile), 0)
    expect((await failure(directory)).error.exitCode).toBe(77)
  })
})
