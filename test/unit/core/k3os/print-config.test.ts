import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { K3osConfig } from '../../../../src/core/k3os/config.ts'
import { configYaml } from '../../../../src/core/k3os/print-config.ts'
import { readConfig } from '../../../../src/core/k3os/read.ts'
import { configSources } from '../../../support/config-arbitrary.ts'
import { everyConfiguration } from '../../../support/every-configuration.ts'

const long = process.env['K3OS_MIGRATE_LONG'] === '1'

function readAgain(config: K3osConfig): K3osConfig | string {
  const bytes = new TextEncoder().encode(configYaml(config))
  const reading = readConfig({ system: { file: 'config.yaml', bytes }, configD: [] })
  return reading.status === 'merged' ? reading.config : reading.reason
}

describe('a printed configuration', () => {
  test('uses the spelling of the documentation', () => {
    const config: K3osConfig = {
      hostname: 'n1',
      sshAuthorizedKeys: ['github:me'],
      k3os: { dnsNameservers: ['1.1.1.1'], labels: { nodeType: 'db' }, install: { forceEfi: true } },
    }
    expect(configYaml(config)).toBe(
      'hostname: n1\nssh_authorized_keys:\n  - github:me\nk3os:\n  dns_nameservers:\n    - 1.1.1.1\n  labels:\n    nodeType: db\n  install:\n    force_efi: true\n',
    )
  })

  test.each<[string, K3osConfig['k3os']]>([
    ['an installer block that somebody removed', {}],
    [
      'blanks around values, which k3OS would cut off',
      { environment: { A: ' x ' }, labels: { a: 'b' }, install: {} },
    ],
    [
      'texts that look like something else',
      { token: '12345', labels: { yes: 'no', '8': '0644' }, install: {} },
    ],
  ])('keeps %s', (_, k3os) => {
    expect(readAgain({ k3os })).toEqual({ k3os })
  })

  test('is read as the same configuration, whatever the sources were', { timeout: 900_000 }, () => {
    fc.assert(
      fc.property(configSources, (sources) => {
        const reading = readConfig(sources)
        fc.pre(reading.status === 'merged')
        if (reading.status === 'merged') expect(readAgain(reading.config)).toEqual(reading.config)
      }),
      { numRuns: long ? 50_000 : 400 },
    )
  })

  test('is read as the same configuration for every case there is', () => {
    const merged = everyConfiguration().flatMap(([name, { reading }]) =>
      reading.status === 'merged' ? [{ name, config: reading.config }] : [],
    )
    expect(merged.map(({ name, config }) => ({ name, config: readAgain(config) }))).toEqual(merged)
    expect(merged.length).toBeGreaterThan(50)
  })
})
