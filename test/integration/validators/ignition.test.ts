import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { goldenCases, goldenFile, judgeUnits, missingTools, shellcheck } from '../../support/judges.ts'
import { requirePart } from '../../support/require-part.ts'

// Units and scripts of an Ignition configuration, by systemd and shellcheck. Its own form is judged by Ignition's parser.

interface Ignition {
  readonly storage: {
    readonly files: readonly { readonly path: string; readonly contents: { readonly source: string } }[]
  }
  readonly systemd: { readonly units: readonly { readonly name: string; readonly contents?: string }[] }
}

const skip = requirePart('VALIDATORS', missingTools(['systemd-analyze', 'shellcheck'], 'systemd shellcheck'))
const targets = [
  ['flatcar', 'config.ign'],
  ['microos', 'ignition/config.ign'],
] as const

/** Files by path, as they lie on the node; units among them. */
function filesOf(text: string): Map<string, string> {
  const { storage, systemd } = JSON.parse(text) as Ignition
  return new Map([
    ...storage.files.map(
      ({ path, contents }) =>
        [path, Buffer.from(contents.source.replace('data:;base64,', ''), 'base64').toString('utf8')] as const,
    ),
    ...systemd.units.flatMap(({ name, contents }) =>
      contents === undefined ? [] : [[`/etc/systemd/system/${name}`, contents] as const],
    ),
  ])
}

describe.skipIf(skip).each(targets)('%s', (target, file) => {
  describe.each(goldenCases(target, file))('%s', (name) => {
    const files = filesOf(readFileSync(goldenFile(name, target, file), 'utf8'))

    it('units', () => {
      expect(judgeUnits(files)).toEqual({ accepted: true, said: '' })
    })

    it('scripts', () => {
      const scripts = [...files].filter(([path]) => /^\/etc\/k3os-migrate\/[^/]+\.sh$/.test(path))
      const said = scripts.map(([, script]) => shellcheck(script, 'sh').said)
      expect(said.filter((text) => text !== '')).toEqual([])
    })
  })
})

it.skipIf(skip)('the check of units fails on a key that does not exist', () => {
  const [name = ''] = goldenCases('flatcar', 'config.ign')
  const files = filesOf(readFileSync(goldenFile(name, 'flatcar', 'config.ign'), 'utf8'))
  const wrong = new Map([...files].map(([path, text]) => [path, text.replace('KillMode=', 'KilMode=')]))
  expect(judgeUnits(wrong).accepted).toBe(false)
})
