import { describe, expect, test } from 'vitest'
import { formatError } from '../../src/adapters/error-text.ts'
import { exitCode } from '../../src/core/errors.ts'
import { commandLines, parse } from '../support/recorded-program.ts'

const inventoryDefaults = {
  host: [],
  cluster: true,
  parallel: 8,
  timeout: 60_000,
  out: 'k3os-inventory',
  output: 'table',
}
const planDefaults = {
  inventory: 'k3os-inventory/inventory.yaml',
  target: 'debian',
  user: 'rancher',
  maxAge: 24,
  pause: true,
  out: 'plan.json',
  output: 'table',
}
const imageDefaults = {
  target: 'debian',
  release: 'trixie',
  arch: 'amd64',
  firmware: true,
  out: 'k3os-image',
  output: 'table',
}
const translateDefaults = { out: 'k3os-translation', output: 'table' }

/** What is typed, the command that runs, and the whole object it is given. */
const table: readonly (readonly [line: string, command: string, options: object])[] = [
  ['config', 'config', { output: 'yaml' }],
  ['config --root /mnt --origins', 'config', { root: '/mnt', origins: true, output: 'yaml' }],
  [
    'config --bundle a.bundle --effects boot --show-secrets -o json',
    'config',
    { bundle: 'a.bundle', effects: 'boot', showSecrets: true, output: 'json' },
  ],

  ['inventory', 'inventory', inventoryDefaults],
  [
    'inventory shop=root@10.0.0.1:2222 n2',
    'inventory',
    { ...inventoryDefaults, host: ['shop=root@10.0.0.1:2222', 'n2'] },
  ],
  ['inventory --no-cluster', 'inventory', { ...inventoryDefaults, cluster: false }],
  ['inventory --timeout 1h30m', 'inventory', { ...inventoryDefaults, timeout: 5_400_000 }],
  ['inventory --timeout=90s', 'inventory', { ...inventoryDefaults, timeout: 90_000 }],
  [
    'inventory --hosts h.txt --from-dir d --user me --port 2222 -i key --known-hosts kh --parallel 2 --out o -o yaml --kubeconfig k --context c',
    'inventory',
    {
      host: [],
      cluster: true,
      hosts: 'h.txt',
      fromDir: 'd',
      user: 'me',
      port: 2222,
      identity: 'key',
      knownHosts: 'kh',
      parallel: 2,
      timeout: 60_000,
      out: 'o',
      output: 'yaml',
      kubeconfig: 'k',
      context: 'c',
    },
  ],
  [
    'inventory n1 --via-pod --image busybox',
    'inventory',
    { ...inventoryDefaults, host: ['n1'], viaPod: true, image: 'busybox' },
  ],
  ['inventory --clean-up', 'inventory', { ...inventoryDefaults, cleanUp: true }],
  [
    'inventory --kubeconfig-from s1 s1',
    'inventory',
    { ...inventoryDefaults, host: ['s1'], kubeconfigFrom: 's1' },
  ],
  ['inventory script', 'inventoryScript', {}],
  [
    'inventory diff a.yaml b.yaml --all',
    'inventoryDiff',
    { before: 'a.yaml', after: 'b.yaml', all: true, output: 'table' },
  ],
  ['inventory --user me script', 'inventoryScript', {}],

  ['assess', 'assess', { inventory: 'k3os-inventory/inventory.yaml', failOn: 'never', output: 'table' }],
  [
    'assess --report html=a.html sarif=out/r.sarif --report junit=j.xml --summary --annotations github',
    'assess',
    {
      inventory: 'k3os-inventory/inventory.yaml',
      failOn: 'never',
      output: 'table',
      summary: true,
      annotations: 'github',
      report: [
        { format: 'html', file: 'a.html' },
        { format: 'sarif', file: 'out/r.sarif' },
        { format: 'junit', file: 'j.xml' },
      ],
    },
  ],
  ['targets', 'targets', { output: 'table' }],
  ['targets -o html', 'targets', { output: 'html' }],
  [
    'targets --inventory i.yaml --target debian -o json',
    'targets',
    { inventory: 'i.yaml', target: ['debian'], output: 'json' },
  ],
  [
    'assess --inventory i.yaml --target debian talos --waivers w.yaml --fail-on high --out a.md -o markdown',
    'assess',
    {
      inventory: 'i.yaml',
      target: ['debian', 'talos'],
      waivers: 'w.yaml',
      failOn: 'high',
      out: 'a.md',
      output: 'markdown',
    },
  ],

  [
    'translate config.yaml --target debian',
    'translate',
    { ...translateDefaults, config: 'config.yaml', target: 'debian' },
  ],
  [
    'translate config.yaml --target debian --in-place',
    'translate',
    { ...translateDefaults, config: 'config.yaml', target: 'debian', inPlace: true },
  ],
  [
    'translate c.yaml --target talos --with-secrets',
    'translate',
    { ...translateDefaults, config: 'c.yaml', target: 'talos', withSecrets: true },
  ],
  [
    'translate c.yaml --target k3os-maintained --k3s-version v1.31.5+k3s1',
    'translate',
    { ...translateDefaults, config: 'c.yaml', target: 'k3os-maintained', k3sVersion: 'v1.31.5+k3s1' },
  ],
  [
    'translate --inventory i.yaml --node n1 --target talos --out seed -o json',
    'translate',
    { inventory: 'i.yaml', node: 'n1', target: 'talos', out: 'seed', output: 'json' },
  ],

  ['plan', 'plan', planDefaults],
  [
    'plan --hook ./rebuild.sh shop --keeps-data --node n1 n2 --exclude n3',
    'plan',
    {
      ...planDefaults,
      hook: ['./rebuild.sh', 'shop'],
      keepsData: true,
      node: ['n1', 'n2'],
      exclude: ['n3'],
    },
  ],
  ['plan --hook ./rebuild.sh --hook=--fast', 'plan', { ...planDefaults, hook: ['./rebuild.sh', '--fast'] }],
  [
    'plan --inventory i.yaml --target talos --delete-emptydir-data --abandon-pod a/b c/d --waivers w --user me --max-age 2 --out p.json -o yaml',
    'plan',
    {
      inventory: 'i.yaml',
      target: 'talos',
      deleteEmptydirData: true,
      abandonPod: ['a/b', 'c/d'],
      waivers: 'w',
      user: 'me',
      maxAge: 2,
      pause: true,
      out: 'p.json',
      output: 'yaml',
    },
  ],
  ['plan show', 'planShow', { file: 'plan.json', output: 'table' }],
  ['plan show other.json -o json', 'planShow', { file: 'other.json', output: 'json' }],
  ['plan -o yaml show', 'planShow', { file: 'plan.json', output: 'table' }],

  ['apply', 'apply', { plan: 'plan.json', output: 'table' }],
  [
    'apply p.json --dry-run --next --approve-plan sha256:1 --state-dir s -i key --known-hosts kh --kubeconfig k --context c -o jsonl',
    'apply',
    {
      plan: 'p.json',
      dryRun: true,
      next: true,
      approvePlan: 'sha256:1',
      stateDir: 's',
      identity: 'key',
      knownHosts: 'kh',
      kubeconfig: 'k',
      context: 'c',
      output: 'jsonl',
    },
  ],
  ['resume', 'resume', { output: 'table' }],
  ['resume 0193 --take-over 0192', 'resume', { run: '0193', takeOver: '0192', output: 'table' }],
  ['resume 0193 --next', 'resume', { run: '0193', next: true, output: 'table' }],
  ['status', 'status', { output: 'table' }],
  ['status 0193 --state-dir s -o json', 'status', { run: '0193', stateDir: 's', output: 'json' }],
  ['status --from-cluster', 'status', { fromCluster: true, output: 'table' }],
  ['abandon 0193', 'abandon', { run: '0193', output: 'table' }],
  [
    'abandon 0193 --leave a b --state-dir s --take-over 0193 -o json',
    'abandon',
    { run: '0193', leave: ['a', 'b'], stateDir: 's', takeOver: '0193', output: 'json' },
  ],
  ['report', 'report', { output: 'markdown' }],
  ['evidence create', 'evidenceCreate', {}],
  [
    'evidence create 0193 --state-dir s --key k --out e.tar',
    'evidenceCreate',
    { run: '0193', stateDir: 's', key: 'k', out: 'e.tar' },
  ],
  [
    'evidence verify e.tar --allowed-signers a --require-signature -o json',
    'evidenceVerify',
    { file: 'e.tar', allowedSigners: 'a', requireSignature: true, output: 'json' },
  ],
  ['image build --target debian', 'imageBuild', imageDefaults],
  [
    'image build --target debian --release bookworm --arch arm64 --with nfs iscsi --image i.qcow2 --no-firmware --mirror m --security-mirror s --out o -o json',
    'imageBuild',
    {
      target: 'debian',
      release: 'bookworm',
      arch: 'arm64',
      with: ['nfs', 'iscsi'],
      image: 'i.qcow2',
      firmware: false,
      mirror: 'm',
      securityMirror: 's',
      out: 'o',
      output: 'json',
    },
  ],
  ['completion bash', 'completion', { shell: 'bash', tree: expect.anything() as unknown }],
  ['rbac apply', 'rbac', { command: ['apply'], namespace: 'kube-system', output: 'yaml' }],
  [
    'rbac inventory --via-pod --name n --namespace ns -o json',
    'rbac',
    { command: ['inventory'], viaPod: true, name: 'n', namespace: 'ns', output: 'json' },
  ],
  [
    'rbac inventory --clean-up',
    'rbac',
    { command: ['inventory'], cleanUp: true, namespace: 'kube-system', output: 'yaml' },
  ],
  ['finalize', 'finalize', { out: 'finalize.json', output: 'table' }],
  [
    'finalize 0193 --out f.json --kubeconfig k --context c --state-dir s -o json',
    'finalize',
    { run: '0193', out: 'f.json', kubeconfig: 'k', context: 'c', stateDir: 's', output: 'json' },
  ],
  [
    'finalize apply f.json --dry-run --approve-plan sha256:0 --state-dir s',
    'finalizeApply',
    { plan: 'f.json', dryRun: true, approvePlan: 'sha256:0', stateDir: 's', output: 'table' },
  ],
  ['report 0193 -o html --out r.html', 'report', { run: '0193', output: 'html', out: 'r.html' }],
  [
    'translate c.yaml --compare -o markdown',
    'translate',
    { config: 'c.yaml', compare: true, out: 'k3os-translation', output: 'markdown' },
  ],
  ['demo', 'demo', { out: 'k3os-migrate-demo' }],
  ['demo --out /tmp/demo', 'demo', { out: '/tmp/demo' }],
]

describe('a command is given exactly what was typed, and the defaults', () => {
  test.each(table)('%s', async (line, command, options) => {
    const { call, error } = await parse(line.split(' '))
    expect(error).toBeUndefined()
    expect(call).toEqual({ command, options })
  })
})

/** What is typed, what is said about it, and what to type next. */
const mistakes: readonly (readonly [line: string, said: string, next: string])[] = [
  ['asses', "unknown command 'asses' (did you mean assess?)", 'k3os-migrate --help'],
  ['upgrade', "unknown command 'upgrade'", 'k3os-migrate --help'],
  ['help upgrade', "unknown command 'upgrade'", 'k3os-migrate --help'],
  ['--verbose', "unknown option '--verbose'", 'k3os-migrate --help'],
  ['', 'a command is missing', 'k3os-migrate --help'],
  ['plan shwo', "unexpected argument 'shwo'", 'k3os-migrate plan --help'],
  ['plan show a b', "unexpected argument 'b'", 'k3os-migrate plan show --help'],
  ['plan show --exclude n1', "unknown option '--exclude'", 'k3os-migrate plan show --help'],
  ['demo now', "unexpected argument 'now'", 'k3os-migrate demo --help'],
  ['apply --dryrun', "unknown option '--dryrun' (did you mean --dry-run?)", 'k3os-migrate apply --help'],
  ['translate --target', "option '--target <id>' argument missing", 'k3os-migrate translate --help'],
  [
    'inventory --port 0',
    "option '--port <number>' argument '0' is invalid. It must be a port, 1 to 65535.",
    'k3os-migrate inventory --help',
  ],
  [
    'inventory --port 65536',
    "option '--port <number>' argument '65536' is invalid. It must be a port, 1 to 65535.",
    'k3os-migrate inventory --help',
  ],
  [
    'inventory --parallel many',
    "option '--parallel <number>' argument 'many' is invalid. It must be a whole number above 0.",
    'k3os-migrate inventory --help',
  ],
  [
    'inventory --timeout 90',
    "option '--timeout <duration>' argument '90' is invalid. It must be a duration such as 90s, 5m or 1h30m.",
    'k3os-migrate inventory --help',
  ],
  [
    'assess --report pdf=a.pdf',
    "option '--report <format=file...>' argument 'pdf=a.pdf' is invalid. It must be a form and a file, such as html=audit.html (table, json, yaml, markdown, html, sarif, junit).",
    'k3os-migrate assess --help',
  ],
  [
    'plan --max-age 0',
    "option '--max-age <hours>' argument '0' is invalid. It must be a whole number above 0.",
    'k3os-migrate plan --help',
  ],
  [
    'config --effects reboot',
    "option '--effects <phase>' argument 'reboot' is invalid. Allowed choices are initrd, boot, runtime, install.",
    'k3os-migrate config --help',
  ],
  [
    'config --root / --bundle b',
    "option '--root <dir>' cannot be used with option '--bundle <file>'",
    'k3os-migrate config --help',
  ],
  [
    'assess --fail-on bad',
    "option '--fail-on <severity>' argument 'bad' is invalid. Allowed choices are high, medium, low, never.",
    'k3os-migrate assess --help',
  ],
  [
    'report -o json',
    "option '-o, --output <format>' argument 'json' is invalid. Allowed choices are html, markdown.",
    'k3os-migrate report --help',
  ],
]

describe('a mistake is a usage error with the help to look at', () => {
  test.each(mistakes)('%s', async (line, said, next) => {
    const { call, error } = await parse(line === '' ? [] : line.split(' '))
    expect(call).toBeUndefined()
    expect(error?.exitCode).toBe(exitCode.usage)
    expect(formatError(error, false)).toBe(`error: ${said}\nhint: ${next}\n`)
  })

  test('the parser itself prints nothing about it', async () => {
    const { out, err } = await parse(['assess', '--no-such-flag'])
    expect({ out, err }).toEqual({ out: '', err: '' })
  })
})

describe('version', () => {
  test('--version prints the bare version', async () => {
    const { out, call } = await parse(['--version'])
    expect(call).toBeUndefined()
    expect(out).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})

describe('help', () => {
  test('lists every command and every exit code', async () => {
    const { out } = await parse(['--help'])
    for (const line of commandLines().filter((each) => !each.includes(' ')))
      expect(out).toMatch(new RegExp(`^  ${line} `, 'm'))
    for (const code of Object.values(exitCode)) expect(out).toMatch(new RegExp(`(^|[ /])${code}[ /]`, 'm'))
  })

  test('is the same for `help COMMAND`', async () => {
    expect((await parse(['help', 'assess'])).out).toBe((await parse(['assess', '--help'])).out)
  })

  describe.each(commandLines())('of %s', (line) => {
    test('has examples that parse, and says where exit codes are', async () => {
      const { out } = await parse([...line.split(' '), '--help'])
      const examples = [...out.matchAll(/^ {2}\$ k3os-migrate (.+)$/gm)].map(([, example]) => example ?? '')
      expect(examples.length).toBeGreaterThanOrEqual(2)
      for (const example of examples) {
        const typed = example.split(/ +[#|>]/)[0] ?? ''
        expect(typed.startsWith(line)).toBe(true)
        expect((await parse(typed.split(' '))).error).toBeUndefined()
      }
      expect(out).toMatch(/^Exit codes: k3os-migrate --help$/m)
    })

    test('is the same for -h', async () => {
      const path = line.split(' ')
      expect((await parse([...path, '-h'])).out).toBe((await parse([...path, '--help'])).out)
    })

    test.each([undefined, 80, 200])('fits the terminal (%s columns)', async (columns) => {
      const { out } = await parse([...line.split(' '), '--help'], columns)
      const described = out.split('\nExamples:')[0] ?? ''
      for (const text of described.split('\n'))
        expect(text.length).toBeLessThanOrEqual(columns === 80 ? 80 : 100)
      for (const text of out.split('\n')) expect(text.length).toBeLessThanOrEqual(100)
    })
  })
})
