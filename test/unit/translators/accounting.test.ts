import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { templateTools } from '../../../src/adapters/templates.ts'
import type { K3osConfig } from '../../../src/core/k3os/config.ts'
import { uncovered } from '../../../src/core/translation.ts'
import { translateNode } from '../../../src/core/translate-node.ts'
import { besideTranslators, translators } from '../../../translators/index.ts'
import { nodeFrom } from '../../support/translation.ts'

const tools = templateTools()
const targets = await Promise.all(
  [...Object.values(translators), ...Object.values(besideTranslators)].map(async (load) => load()),
)
const long = process.env['K3OS_MIGRATE_LONG'] === '1'
const runs = long ? 3000 : 150

/** Any text, and often one that means something to somebody on the way. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '',
    ' ',
    'yes',
    '0644',
    "it's",
    '$HOME',
    '%i',
    'a\nb',
    '"',
    '\\',
    '`id`',
    '{{x}}',
    '\u0000',
    '🦊',
  ),
)
const canary = 'CANARY4711'
const secret = fc.string({ unit: 'grapheme-ascii', maxLength: 6 }).map((rest) => `${canary}${rest}`)

const filePaths = [
  '/etc/motd',
  '/run/x y',
  '/tmp/%i',
  '/usr/bin/x',
  '/proc/sys/a',
  '/etc/init.d/x',
  '/etc/local.d/x.start',
  '/etc/environment',
  '/etc/connman/main.conf',
  '/var/lib/connman/a.config',
  '/var/lib/connman/settings',
  '/etc/rancher/k3s/config.yaml',
  '/etc/rancher/k3s/registries.yaml',
  '/var/lib/rancher/k3s/server/manifests/a.yaml',
]
const content = fc.oneof(
  text,
  fc.constantFrom(
    '[service_a]\nType=ethernet\nIPv4=10.0.0.5/24/10.0.0.1\n',
    '[service_w]\nType=wifi\nName=x\nEAP=peap\n',
    '[service_a]\nMAC=52:54:00:aa:bb:01\nFrob=1\n[service_b]\nMAC=52:54:00:aa:bb:01\n',
    '[General]\nFallbackNameservers=9.9.9.9\n',
    'A=b\nexport C="d e"\numask 022\n',
    'disable: traefik\nnope: 1\n',
    '#!/bin/sh\nrc-service x start\n',
  ),
)
const file = fc.record({
  encoding: fc.constantFrom('', '', '', 'b64', 'gzip', 'B64'),
  content,
  owner: fc.constantFrom('', 'root', 'rancher', 'rancher:rancher', '1000:1000', 'app:app'),
  path: fc.oneof(fc.constantFrom(...filePaths), text),
  permissions: fc.constantFrom('', '0600', '755', '0o600', '4755'),
})
const argument = fc.oneof(
  fc.constantFrom(
    'server',
    'agent',
    '--disable',
    '--disable=traefik',
    '--docker',
    '--node-label',
    'a=b',
    '--server',
  ),
  fc.constantFrom(
    '--token-file=/x',
    '--config',
    '/etc/rancher/k3s/config.yaml',
    '-i',
    '--node-name=x',
    '--',
    '-',
    '--=x',
  ),
  secret.map((value) => `--token=${value}`),
  secret.map((value) => `--datastore-endpoint=${value}`),
  text,
)
const command = fc.oneof(
  text,
  fc.constantFrom('rc-service x start', 'ip addr add 10.0.0.5/24 dev eth0', 'exit 1'),
)
const few = <T>(item: fc.Arbitrary<T>) => fc.array(item, { minLength: 1, maxLength: 4 })
const map = (value: fc.Arbitrary<string>) =>
  fc.dictionary(fc.oneof(fc.constantFrom('a.b', 'x'), text), value, { minKeys: 1, maxKeys: 4 })
const variables = fc.dictionary(
  fc.constantFrom('HTTP_PROXY', 'K3S_CLUSTER_SECRET', 'K3S_TOKEN', 'ODD'),
  secret,
  {
    minKeys: 1,
  },
)

const configuration: fc.Arbitrary<K3osConfig> = fc.record(
  {
    sshAuthorizedKeys: few(
      fc.oneof(text, fc.constantFrom('ssh-rsa AAAA me', 'github:me', 'https://x.example/k')),
    ),
    writeFiles: few(file),
    hostname: fc.constantFrom('n1', 'N1', '-'),
    initCmd: few(command),
    bootCmd: few(command),
    runCmd: few(command),
    k3os: fc.record(
      {
        dataSources: few(text),
        modules: few(fc.oneof(text, fc.constant('kvm nested=1'))),
        sysctls: map(text),
        ntpServers: few(text),
        dnsNameservers: few(text),
        wifi: few(fc.record({ name: text, passphrase: secret })),
        password: fc.oneof(
          secret,
          secret.map((value) => `$6$${value}`),
        ),
        serverUrl: fc.constant('https://10.0.0.1:6443'),
        token: fc.oneof(
          secret,
          secret.map((value) => `K10${value}`),
        ),
        labels: map(text),
        k3sArgs: few(argument),
        environment: variables,
        taints: few(fc.oneof(text, fc.constantFrom('a=b:NoSchedule', 'c:NoExecute,d:NoExecute'))),
        install: fc.record({ tty: text, silent: fc.boolean() }, { requiredKeys: [] }),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ['k3os'] },
)

describe.each(targets)('$title, whatever the configuration', (translator) => {
  const translate = (config: K3osConfig) => translateNode(nodeFrom(config), translator, tools)

  it('carries every value or says why not', () => {
    fc.assert(
      fc.property(configuration, (config) => {
        const result = translate(config)
        expect(
          result.findings.filter((found) => found.rule === 'TRN-UNACCOUNTED').map((found) => found.key),
        ).toEqual([])
        expect(uncovered(config, result)).toEqual([])
      }),
      { numRuns: runs },
    )
  })

  it('gives the same bytes twice', () => {
    fc.assert(
      fc.property(configuration, (config) => {
        expect(translate(structuredClone(config))).toEqual(translate(config))
      }),
      { numRuns: runs / 3 },
    )
  })

  it('puts secrets into files of mode 0600 only, and into no text', () => {
    fc.assert(
      fc.property(configuration, (config) => {
        const { files, ...rest } = translate(config)
        const open = files.filter((one) => one.mode !== 0o600 && String(one.content).includes(canary))
        expect(open.map((one) => one.path)).toEqual([])
        expect(JSON.stringify(rest)).not.toContain(canary)
      }),
      { numRuns: runs },
    )
  })
})

it.each([{ '=': '', '': '' }, { 'a=b': 'c', a: 'b=c' }, { 'example.com/x=y': '=' }])(
  'accounts for labels whose names hold a "=": %j',
  (labels) => {
    const config = { k3os: { labels } }
    expect(targets.flatMap((target) => wrongWith(config, target))).toEqual([])
  },
)

/** What is wrong with what a target makes of a configuration; plain comparisons, as this runs very often. */
function wrongWith(config: K3osConfig, target: (typeof targets)[number]): string[] {
  const result = translateNode(nodeFrom(config), target, tools)
  const { files, ...rest } = result
  const { files: filesAgain, ...restAgain } = translateNode(nodeFrom(structuredClone(config)), target, tools)
  const said = JSON.stringify(rest)
  return [
    ...uncovered(config, result).map((path) => `${path} is not accounted for`),
    ...(said.includes('TRN-UNACCOUNTED') ? ['a gap was filled by TRN-UNACCOUNTED'] : []),
    ...(said.includes(canary) ? ['a secret is in a finding, the trace or the delivery'] : []),
    ...files.flatMap(({ path, mode, content }, index) => [
      ...(mode !== 0o600 && String(content).includes(canary) ? [`a secret is in ${path}`] : []),
      ...(String(filesAgain[index]?.content) === String(content) ? [] : [`${path} differs the second time`]),
    ]),
    ...(JSON.stringify(restAgain) === said ? [] : ['it says something else the second time']),
  ].map((wrong) => `${target.title}: ${wrong}`)
}

it.runIf(long)(
  'holds for 100 000 configurations and every target',
  () => {
    fc.assert(
      fc.property(configuration, (config) => {
        const wrong = targets.flatMap((target) => wrongWith(config, target))
        if (wrong.length > 0) throw new Error(wrong.join('\n'))
      }),
      { numRuns: Number(process.env['K3OS_MIGRATE_RUNS'] ?? 100_000) },
    )
  },
  3 * 3600_000,
)
