import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { apply, resume } from '../../../src/commands/apply.ts'
import { assess } from '../../../src/commands/assess.ts'
import { evidenceCreate, evidenceVerify } from '../../../src/commands/evidence.ts'
import { inventory, inventoryFiles } from '../../../src/commands/inventory.ts'
import type { CommandIo } from '../../../src/commands/io.ts'
import { plan } from '../../../src/commands/plan.ts'
import { readPlan } from '../../../src/commands/plan-inputs.ts'
import { report } from '../../../src/commands/report.ts'
import { status } from '../../../src/commands/status.ts'
import { targets } from '../../../src/commands/targets.ts'
import { translate } from '../../../src/commands/translate.ts'
import { formatError } from '../../../src/adapters/error-text.ts'
import { MigrateError } from '../../../src/core/errors.ts'
import { simulatedKube } from '../../../src/simulation/kube.ts'
import { simulatedHook, simulatedHost } from '../../../src/simulation/machines.ts'
import { scenarioSource } from '../../../src/simulation/scenario-source.ts'
import { VirtualClock } from '../../../src/simulation/virtual-clock.ts'
import { World } from '../../../src/simulation/world.ts'
import { assessFormats } from '../../../src/usage.ts'
import { smallScenario } from '../../support/simulated-run.ts'

/** One canary for each field that may hold a secret; the name says which one sang. */
const canaries = {
  token: 'canary-token-4711',
  password: 'canary-password-4712',
  wifi: 'canary-wifi-4713',
  file: 'canary-file-4714',
  environment: 'canary-environment-4715',
  proxy: 'canary-proxy-4716',
  argument: 'canary-argument-4717',
  endpoint: 'canary-endpoint-4718',
  registry: 'canary-registry-4719',
  command: 'canary-command-4720',
  nodePassword: 'canary-node-password-4721',
  clusterToken: 'canary-cluster-token-4722',
  cmdline: 'canary-cmdline-4723',
} as const

const config = `hostname: a
ssh_authorized_keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBv0exampleexampleexampleexampleexampleexample ops]
write_files:
- {path: /opt/secret, content: "${canaries.file}\\n", permissions: "0600"}
- path: /etc/rancher/k3s/registries.yaml
  content: |
    configs: {r.example.org: {auth: {username: u, password: ${canaries.registry}}}}
run_cmd:
- "login --token ${canaries.command}"
k3os:
  server_url: https://192.0.2.10:6443
  token: ${canaries.token}
  password: ${canaries.password}
  wifi: [{name: shop, passphrase: ${canaries.wifi}}]
  environment:
    SECRET_KEY: ${canaries.environment}
    http_proxy: http://user:${canaries.proxy}@192.0.2.1:3128
  k3s_args: [agent, "--agent-token=${canaries.argument}", "--datastore-endpoint", "mysql://u:${canaries.endpoint}@db/k3s"]
`

const printed: string[] = []
let folder: string

function recordingIo(): CommandIo {
  return {
    out: (text) => printed.push(text),
    err: (text) => printed.push(text),
    cwd: folder,
    env: {},
    interactive: false,
    columns: undefined,
    signal: new AbortController().signal,
    ask: async () => undefined,
    askSecret: async () => undefined,
  }
}

/** As the error boundary prints it. */
async function attempt(command: () => Promise<unknown>): Promise<void> {
  try {
    await command()
  } catch (error) {
    expect(error).toBeInstanceOf(MigrateError)
    printed.push(formatError(error, false), formatError(error, true))
  }
}

async function wholeJob(): Promise<void> {
  const scenario = smallScenario()
  const [, a] = scenario.nodes
  if (a === undefined) throw new Error('no node')
  a.files['/k3os/system/config.yaml'] = config
  a.files['/proc/cmdline'] = `console=tty1 k3os.environment.API_TOKEN=${canaries.cmdline}\n`
  a.nodePassword = canaries.nodePassword
  scenario.cluster.token = canaries.clusterToken
  const clock = new VirtualClock(new Date())
  const world = new World(scenarioSource(scenario), clock)
  const kube = simulatedKube(world)
  const host = simulatedHost(world)
  const hook = simulatedHook(world, async (path) => readFile(path, 'utf8'))
  const io = recordingIo()
  const file = 'inventory.yaml'
  const settings = {
    host: [],
    cluster: true,
    user: 'rancher',
    port: 22,
    parallel: 2,
    timeout: 1000,
    out: '.',
  }
  const ports = {
    host,
    clock,
    files: inventoryFiles,
    sshDefaults: () => ({}),
    owner: 'me@here',
    connectPods: () => Promise.reject(new Error('no pods here')),
    connectCluster: async () => kube,
  }
  for (const output of ['table', 'json', 'yaml'] as const) await inventory({ ...settings, output }, io, ports)
  for (const output of assessFormats) {
    const report = [{ format: output, file: `assessment.${output}` }]
    await assess(
      { inventory: file, failOn: 'never', output, report, summary: true, annotations: 'github' },
      { ...io, env: { GITHUB_STEP_SUMMARY: 'summary.md' } },
    )
  }
  for (const output of ['table', 'json', 'yaml', 'markdown', 'html'] as const)
    await targets({ inventory: file, output }, io)
  for (const output of ['table', 'json', 'yaml'] as const) {
    await translate({ inventory: file, target: 'debian', out: 'translated', output }, io)
  }
  const choices = {
    inventory: file,
    target: 'debian',
    hook: ['./x'],
    keepsData: true,
    user: 'rancher',
    maxAge: 24,
  }
  for (const output of ['json', 'yaml', 'table'] as const)
    await plan({ ...choices, out: 'plan.json', output }, io, clock)
  const { digest } = await readPlan(join(folder, 'plan.json'))
  const run = { approvePlan: digest, stateDir: 'state', output: 'jsonl' } as const
  await apply({ ...run, plan: 'plan.json', dryRun: true }, io, { kube, reader: kube, host, hook, clock })
  // A hook that prints what it knows, and fails with it.
  const everything = Object.values(canaries).join(' ')
  const chatty: typeof hook = {
    async run(_argv, { onLine }) {
      onLine(everything)
      return { exitCode: 75, tail: everything }
    },
  }
  await attempt(async () =>
    apply({ ...run, plan: 'plan.json' }, io, { kube, reader: kube, host, hook: chatty, clock }),
  )
  await attempt(async () => resume({ ...run, output: 'json' }, io, { kube, reader: kube, host, hook, clock }))
  for (const output of ['table', 'json', 'yaml'] as const) await status({ stateDir: 'state', output }, io)
  for (const output of ['html', 'markdown'] as const) {
    await report({ stateDir: 'state', output, out: `report.${output}` }, io)
  }
  await evidenceCreate({ stateDir: 'state', out: 'evidence.tar' }, io)
  for (const output of ['table', 'json'] as const) await evidenceVerify({ file: 'evidence.tar', output }, io)
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'canaries-'))
  await wholeJob()
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

describe('secrets', () => {
  it.each(Object.entries(canaries))('%s is never printed', (_, canary) => {
    expect(printed.filter((text) => text.includes(canary))).toEqual([])
  })

  it.each(Object.entries(canaries))(
    '%s is in no file but those of mode 0600 that need it',
    async (_, canary) => {
      const singing: string[] = []
      for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue
        const path = join(entry.parentPath, entry.name)
        if (!(await readFile(path, 'utf8')).includes(canary)) continue
        const mode = (await stat(path)).mode & 0o777
        const needed = /\/(bundles\/[^/]+|translated\/a\/.+|nodes\/a\/seed-\d+\/.+)$/.test(path)
        if (!needed || mode !== 0o600) singing.push(`${path.slice(folder.length)} ${mode.toString(8)}`)
      }
      expect(singing).toEqual([])
    },
  )

  it('are really there to be found', async () => {
    const bundle = await readFile(join(folder, 'bundles/a.bundle'), 'utf8')
    expect(bundle).toContain(Buffer.from(canaries.nodePassword).toString('base64').slice(0, 20))
    expect(await readFile(join(folder, 'translated/a/user-data'), 'utf8')).toContain(canaries.token)
    expect(printed.join('').length).toBeGreaterThan(1000)
    expect((await stat(join(folder, 'evidence.tar'))).size).toBeGreaterThan(50_000)
  })
})
