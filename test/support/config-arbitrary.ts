import fc from 'fast-check'
import type { ConfigSources, SourceText } from '../../src/core/k3os/config.ts'

// Source texts as people write them and as they go wrong: every spelling, right and wrong types, several sources.

const encoder = new TextEncoder()

const word = fc.constantFrom(
  'a',
  'db-1',
  'x.y/z',
  'König',
  '10.0.0.1',
  'two words',
  'https://s:6443',
  '[x]',
  '%a',
  'a#b',
)
const scalar = fc.oneof(
  { weight: 6, arbitrary: word.map((text) => JSON.stringify(text)) },
  fc.constantFrom(
    'plain',
    '7',
    '1048576',
    '0644',
    '1.50',
    '1e3',
    'yes',
    'off',
    'True',
    '~',
    '',
    '" padded "',
    "'it''s'",
    '2021-10-08',
    '"true"',
  ),
)
const inline = (items: readonly string[]): string =>
  `[${items.map((item) => (item === '' ? '""' : item)).join(', ')}]`
const list = fc.oneof(
  { weight: 5, arbitrary: fc.array(scalarText(), { maxLength: 3 }).map(inline) },
  scalarText(),
  fc.constantFrom('[]', '~', '[~, "x"]', '[[a, b]]', '[1, 2]'),
)
const mapKey = fc.constantFrom('region', 'a.b/c', '"quoted key"', '8', 'yes', 'K', 'zone')
const mapValue = fc.oneof({ weight: 8, arbitrary: scalar }, fc.constantFrom('[a, b]', '[]', '{k: v}', '[~]'))
const map = fc.oneof(
  { weight: 8, arbitrary: fc.dictionary(mapKey, mapValue, { maxKeys: 3 }).map(flowMap) },
  fc.constantFrom('{}', '~', 'text'),
)
const file = fc
  .record(
    {
      path: word,
      content: word,
      owner: fc.constantFrom('root', ''),
      permission: fc.constantFrom('0644', '4755', 'rw'),
      permissions: fc.constantFrom('0600'),
      encoding: fc.constantFrom('', 'b64', 'B64'),
      append: fc.constant('true'),
    },
    { requiredKeys: [] },
  )
  .map((fields) =>
    flowMap(Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, JSON.stringify(value)]))),
  )
const files = fc.oneof(
  { weight: 8, arbitrary: fc.array(file, { maxLength: 2 }).map(inline) },
  fc.constantFrom('[~]', '{}', '~'),
)
const wifi = fc
  .array(
    fc
      .record(
        {
          name: scalarText(),
          pass: scalarText(),
          password: scalarText(),
          passphrase: scalarText(),
          hidden: fc.constant('true'),
        },
        { requiredKeys: [] },
      )
      .map(flowMap),
    { maxLength: 2 },
  )
  .map(inline)
const install = settings([
  [fc.constantFrom('silent', 'Silent'), fc.constantFrom('true', '"true"', '"True"', 'no', '~')],
  [fc.constantFrom('power_off', 'poweroff', 'powerOff'), fc.constantFrom('true', 'yes', 'false')],
  [fc.constantFrom('device', 'tty', 'config_url', 'configurl'), scalarText()],
])

function scalarText(): fc.Arbitrary<string> {
  return word.map((text) => JSON.stringify(text))
}

function flowMap(entries: Readonly<Record<string, string | undefined>>): string {
  const pairs = Object.entries(entries).filter(([, value]) => value !== undefined)
  return `{${pairs.map(([key, value]) => `${key}: ${value}`).join(', ')}}`
}

/** Some of the settings, each at most once in each of its spellings. */
function settings(
  choices: readonly (readonly [fc.Arbitrary<string>, fc.Arbitrary<string>])[],
): fc.Arbitrary<string> {
  const one = fc.oneof(...choices.map(([key, value]) => fc.tuple(key, value)))
  return fc
    .uniqueArray(one, { maxLength: 5, selector: ([key]) => key })
    .map((pairs) => flowMap(Object.fromEntries(pairs)))
}

const k3os = fc.oneof(
  {
    weight: 15,
    arbitrary: settings([
      [fc.constantFrom('labels', 'label', 'Labels'), map],
      [fc.constantFrom('sysctls', 'sysctl', 'environment'), map],
      [fc.constantFrom('token', 'TOKEN', 'password'), scalarText()],
      [fc.constantFrom('server_url', 'serverUrl', 'serverurl', 'server-url'), scalarText()],
      [fc.constantFrom('dns_nameserver', 'dns_nameservers', 'dnsNameservers', 'dnsnameservers'), list],
      [
        fc.constantFrom(
          'k3s_args',
          'k3sargs',
          'k3s_arg',
          'modules',
          'module',
          'taints',
          'taint',
          'ntp_servers',
        ),
        list,
      ],
      [fc.constantFrom('wifi', 'WIFI'), wifi],
      [fc.constantFrom('install', 'Install'), install],
      [fc.constant('nonsense'), map],
    ]),
  },
  fc.constantFrom('~', 'broken', '{}'),
)

const topLevel: fc.Arbitrary<readonly [string, string]> = fc.oneof(
  fc.tuple(fc.constantFrom('hostname', 'HOSTNAME', 'host-name'), scalarText()),
  fc.tuple(
    fc.constantFrom('ssh_authorized_keys', 'ssh_authorized_key', 'sshAuthorizedKeys', 'sshauthorizedkeys'),
    list,
  ),
  fc.tuple(fc.constantFrom('run_cmd', 'runcmd', 'runCmd', 'boot_cmd', 'init_cmd', 'packages'), list),
  fc.tuple(fc.constantFrom('write_files', 'writefiles', 'write_file'), files),
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom('k3os', 'k3o', 'K3OS'), k3os) },
)
const yaml = fc.oneof(
  {
    weight: 20,
    arbitrary: fc
      .uniqueArray(topLevel, { maxLength: 5, selector: ([key]) => key })
      .map((pairs) => pairs.map(([key, value]) => `${key}: ${value}\n`).join('')),
  },
  fc.constantFrom(
    '',
    '# nothing\n',
    '---\nhostname: a\n---\nhostname: b\n',
    'a: [\n',
    '- a\n',
    ' hostname: a\nk3os: {}\n',
  ),
)

const argument = fc
  .tuple(
    fc.constantFrom(
      'quiet',
      'console',
      'hostname',
      'run_cmd',
      'k3os.token',
      'k3os.labels.region',
      'k3os.labels.a.b',
      'k3os.labels',
      'k3os.dns_nameserver',
      'k3os.dns_nameservers',
      'k3os.install.silent',
      'k3os.sysctl[vm.x]',
      'k3os.mode',
      'k3os.foo',
    ),
    fc.constantFrom('', '=1', '=true', '="two words"', '=a,b', '='),
  )
  .map(([key, value]) => key + value)
const commandLine = fc.array(argument, { maxLength: 6 }).map((items) => `${items.join(' ')}\n`)
const userdata = fc.oneof(
  yaml,
  fc.constantFrom('#!/bin/sh\necho hi\n', '\0binary', '#cloud-config\nhostname: u\n'),
)

function source(file: string, text: fc.Arbitrary<string>): fc.Arbitrary<SourceText> {
  return text.map((content) => ({ file, bytes: encoder.encode(content) }))
}

export const configSources: fc.Arbitrary<ConfigSources> = fc.record(
  {
    system: source('system.yaml', yaml),
    cmdline: source('cmdline', commandLine),
    local: source('local.yaml', yaml),
    localHostname: source('local_hostname', fc.constantFrom('meta\n', ' \n', '')),
    authorizedKeys: source('authorized_keys', fc.constantFrom('ssh-rsa A\n\n ssh-rsa B \n', '\n')),
    userdata: source('userdata', userdata),
    configD: fc.uniqueArray(
      fc.constantFrom('10.yaml', '.hidden', '9').chain((name) => source(`config.d/${name}`, yaml)),
      { maxLength: 2, selector: ({ file: name }) => name },
    ),
  },
  { requiredKeys: ['configD'] },
)
