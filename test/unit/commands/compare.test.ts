import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { translate, type TranslateOptions } from '../../../src/commands/translate.ts'
import { comparisonSchema } from '../../../src/core/comparison.ts'
import { translators } from '../../../translators/index.ts'
import { recordingIo } from '../../support/recording-io.ts'

const targets = Object.keys(translators)
const config = `hostname: n1
ssh_authorized_keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICq/HIzukGEITFC7XU4TPNwp0n+wx/QrgVPGsRUxNccE me]
run_cmd: [mount /dev/sdb1 /data]
k3os:
  token: secret-4711
  server_url: https://10.0.0.1:6443
  labels: {disk: ssd}
  data_sources: [aws]
`

async function run(options: Partial<TranslateOptions>, text = config) {
  const cwd = mkdtempSync(join(tmpdir(), 'k3os-migrate-compare-'))
  onTestFinished(() => {
    rmSync(cwd, { recursive: true })
  })
  writeFileSync(join(cwd, 'config.yaml'), text)
  const io = recordingIo(cwd)
  const exit = await translate({ config: 'config.yaml', out: 'out', output: 'table', ...options }, io)
  return { cwd, exit, out: io.stdout(), err: io.stderr() }
}

it('writes a folder for each target, and in it one for each node', async () => {
  const { cwd } = await run({ allTargets: true })
  expect(readdirSync(join(cwd, 'out')).toSorted()).toEqual(targets.toSorted())
  for (const target of targets) expect(readdirSync(join(cwd, 'out', target))).toEqual(['n1'])
})

it('compares without writing anything', async () => {
  const { cwd, exit } = await run({ compare: true })
  expect(exit).toBe(0)
  expect(readdirSync(cwd)).toEqual(['config.yaml'])
})

it('counts every value once for each target, whatever its fate', async () => {
  const { out } = await run({ compare: true, output: 'json' })
  const { nodes } = comparisonSchema.parse(JSON.parse(out))
  const sums = nodes[0]?.targets.map(({ counts }) =>
    Object.values(counts).reduce((sum, count) => sum + count, 0),
  )
  // hostname, key, command, token, server_url, label, data source
  expect(sums).toEqual(targets.map(() => 7))
})

it('tells apart what arrives, what is to be done by hand and what nobody needs', async () => {
  const { out } = await run({ compare: true, target: 'talos', output: 'json' })
  const values = comparisonSchema.parse(JSON.parse(out)).nodes[0]?.targets[0]?.values
  expect(Object.fromEntries(values?.map(({ path, fate }) => [path, fate]) ?? [])).toEqual({
    hostname: 'carried',
    'sshAuthorizedKeys[0]': 'manual',
    'runCmd[0]': 'manual',
    'k3os.token': 'not needed',
    'k3os.serverUrl': 'not needed',
    'k3os.labels.disk': 'carried',
    'k3os.dataSources[0]': 'not needed',
  })
})

it('names a loss that targets share once', async () => {
  const { out } = await run({ compare: true, output: 'json' })
  const { losses } = comparisonSchema.parse(JSON.parse(out))
  const login = losses.filter(({ rule }) => rule === 'TRN-TALOS-NO-LOGIN')
  expect(login.map((loss) => loss.targets)).toEqual([['talos', 'talos-1.13']])
})

it('puts the worst loss first', async () => {
  const { out } = await run({ compare: true, output: 'json', target: 'talos' })
  const { losses } = comparisonSchema.parse(JSON.parse(out))
  expect([losses[0]?.severity, losses.at(-1)?.severity]).toEqual(['high', 'low'])
})

it('explains where a value goes, and why', async () => {
  const { out } = await run({ explain: 'k3os.labels', target: 'talos' })
  expect(out).toMatch(/n1 +k3os\.labels\.disk +talos +carried +machine\.yaml: KubeNodeConfig\.labels\.disk/)
})

it('explains nothing where nothing stands', async () => {
  await expect(run({ explain: 'k3os.wifi' })).rejects.toMatchObject({ exitCode: 64 })
})

it.each(['table', 'json', 'yaml', 'markdown', 'html'] as const)('tells no secret (%s)', async (output) => {
  const { out, err } = await run({ compare: true, output })
  expect(out + err).not.toContain('secret-4711')
})

it('ends with 3 when k3OS rejects the configuration', async () => {
  expect((await run({ compare: true }, 'k3os: {token: 12345}\n')).exit).toBe(3)
})

it('refuses Bottlerocket for each node, with every value it would lose', async () => {
  const { exit, out } = await run({ target: 'bottlerocket', output: 'json' })
  const document = JSON.parse(out) as { nodes: { findings: { rule: string }[] }[] }
  const rules = document.nodes[0]?.findings.map(({ rule }) => rule) ?? []
  expect([
    exit,
    rules.includes('TRN-REFUSED'),
    rules.filter((rule) => rule === 'TRN-REFUSED-VALUE').length,
  ]).toEqual([3, true, 7])
})
