import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ConfigSources, SourceText } from '../../../../src/core/k3os/config.ts'
import { readConfig } from '../../../../src/core/k3os/read.ts'
import type { ConfigReading, MergedReading, Place } from '../../../../src/core/k3os/reading.ts'
import { Source } from '../../../../src/core/k3os/source.ts'
import { leafValues, placeOf } from '../../../../src/core/k3os/value.ts'
import { readYaml } from '../../../../src/core/k3os/yaml/document.ts'
import { leaves } from '../../../../src/core/path.ts'
import { configSources } from '../../../support/config-arbitrary.ts'

const long = process.env['K3OS_MIGRATE_LONG'] === '1'
const runs = { numRuns: long ? 100_000 : 400 }
const timeout = long ? 900_000 : 20_000

function merged(reading: ConfigReading): MergedReading {
  // A configuration k3OS rejects has no origins to look at; the golden cases look at its position.
  fc.pre(reading.status === 'merged')
  return reading as MergedReading
}

function texts(sources: ConfigSources): SourceText[] {
  const { configD, ...named } = sources
  return [...Object.values(named), ...configD].filter((source) => 'bytes' in source)
}

function textAt(sources: ConfigSources, place: Place): string {
  const source = texts(sources).find(({ file }) => file === place.file)
  const lines = new TextDecoder().decode(source?.bytes).split('\n')
  const taken = lines.slice(place.line - 1, place.endLine)
  const last = taken.length - 1
  taken[last] = taken[last]?.slice(0, place.endColumn - 1) ?? ''
  taken[0] = taken[0]?.slice(place.column - 1) ?? ''
  return taken.join('\n')
}

function contains(outer: Place, inner: Place): boolean {
  const before = (a: [number, number], b: [number, number]): boolean =>
    a[0] < b[0] || (a[0] === b[0] && a[1] <= b[1])
  return (
    outer.file === inner.file &&
    before([outer.line, outer.column], [inner.line, inner.column]) &&
    before([inner.endLine, inner.endColumn], [outer.endLine, outer.endColumn])
  )
}

describe('reading any sources', () => {
  test('gives the same answer twice, and an origin for exactly the leaves of the result', { timeout }, () => {
    fc.assert(
      fc.property(configSources, (sources) => {
        const reading = readConfig(sources)
        expect(readConfig(sources)).toEqual(reading)
        expect(new Set(reading.findings.map(({ key }) => key)).size).toBe(reading.findings.length)
        if (reading.status === 'rejected')
          expect(reading.findings.some(({ severity }) => severity === 'inhibitor')).toBe(true)
        else
          expect([...reading.origins.keys()].toSorted()).toEqual(
            leaves(reading.config)
              .map(([path]) => path)
              .toSorted(),
          )
      }),
      runs,
    )
  })

  test('points at text that holds the value, unless it says the value was changed', { timeout }, () => {
    fc.assert(
      fc.property(configSources, (sources) => {
        const { config, origins } = merged(readConfig(sources))
        for (const [path, value] of leaves(config)) {
          const origin = origins.get(path)
          if (origin === undefined || !origin.verbatim || origin.place === null) continue
          const written = textAt(sources, origin.place)
          // Quotes and words such as `yes` are YAML's way to write the value.
          const unquoted = written
            .replace(/^(["'])(.*)\1$/s, '$2')
            .replaceAll("''", "'")
            .replaceAll('\\"', '"')
          if (typeof value === 'string') expect(unquoted, path).toContain(value)
          else expect(['true', 'yes', 'on'], path).toContain(written.toLowerCase())
        }
      }),
      runs,
    )
  })

  test('loses no value of any source without a word', { timeout }, () => {
    fc.assert(
      fc.property(configSources, (sources) => {
        const { config, origins, findings } = merged(readConfig(sources))
        const values = new Set(leaves(config).map(([, value]) => String(value)))
        const told: Place[] = []
        for (const { place, overrode } of origins.values()) {
          if (place !== null) told.push(place)
          told.push(...overrode.map((lost) => lost.place))
        }
        for (const { location } of findings)
          if (location?.line != null && location.column != null)
            told.push({
              file: location.file,
              line: location.line,
              column: location.column,
              endLine: location.endLine ?? location.line,
              endColumn: location.endColumn ?? location.column,
            })
        const {
          cmdline: _cmdline,
          localHostname: _hostname,
          authorizedKeys: _keys,
          userdata: _userdata,
          ...files
        } = sources
        for (const { file, bytes } of texts(files)) {
          const { root } = readYaml(new Source('system', file, new TextDecoder().decode(bytes)))
          for (const leaf of root === null ? [] : leafValues(root)) {
            const place = placeOf(leaf)
            const isNothing =
              leaf.kind !== 'scalar' || leaf.value === null || leaf.value === '' || leaf.value === false
            const unknown = findings.some(
              ({ rule, location }) => rule === 'CFG-UNKNOWN-KEY' && isBefore(location, place),
            )
            // A value that stands twice is there as long as one of them is.
            const repeated =
              (leaf.kind === 'scalar' && values.has(String(leaf.value))) ||
              told.some((other) => textAt(sources, other) === textAt(sources, place))
            if (!isNothing && !unknown && !repeated)
              expect(
                told.some((outer) => contains(outer, place)),
                JSON.stringify(place),
              ).toBe(true)
          }
        }
      }),
      runs,
    )
  })
})

/** A finding about a key stands at the key; the value follows on the line. */
function isBefore(location: { file: string; line: number | null } | null, place: Place): boolean {
  return location?.file === place.file && location.line === place.line
}
