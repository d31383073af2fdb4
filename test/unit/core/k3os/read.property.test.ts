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

/** Leaves without an origin and origins without a leaf; of a rejected configuration, whether nothing stops anybody. */
function unexplained(reading: ConfigReading): string[] {
  if (reading.status === 'rejected')
    return reading.findings.some(({ severity }) => severity === 'inhibitor') ? [] : ['no inhibitor']
  const paths = leaves(reading.config).map(([path]) => path)
  const origins = [...reading.origins.keys()]
  return [
    ...paths.filter((path) => !origins.includes(path)),
    ...origins.filter((path) => !paths.includes(path)),
  ]
}

/** Values whose origin calls itself verbatim and does not hold them. */
function misplaced(sources: ConfigSources, { config, origins }: MergedReading): string[] {
  return leaves(config).flatMap(([path, value]) => {
    const origin = origins.get(path)
    if (origin === undefined || !origin.verbatim || origin.place === null) return []
    const written = textAt(sources, origin.place)
    // Quotes and words such as `yes` are YAML's way to write the value.
    const unquoted = written
      .replace(/^(["'])(.*)\1$/s, '$2')
      .replaceAll("''", "'")
      .replaceAll('\\"', '"')
    const holds = typeof value === 'string' ? unquoted.includes(value) : /^(true|yes|on)$/i.test(written)
    return holds ? [] : [`${path}: ${written}`]
  })
}

/** Every place the reading says something about: origins, what they overrode, findings. */
function placesTold({ origins, findings }: MergedReading): Place[] {
  const ofOrigins = [...origins.values()].flatMap(({ place, overrode }) => [
    ...(place === null ? [] : [place]),
    ...overrode.map((lost) => lost.place),
  ])
  const ofFindings = findings.flatMap(({ location }): Place[] => {
    const { file = '', line = null, column = null, endLine = null, endColumn = null } = location ?? {}
    return line === null || column === null || endLine === null || endColumn === null
      ? []
      : [{ file, line, column, endLine, endColumn }]
  })
  return [...ofOrigins, ...ofFindings]
}

/** Values in the files that are neither in the result nor in a finding. */
function lostSilently(sources: ConfigSources, reading: MergedReading): Place[] {
  const told = placesTold(reading)
  const textsTold = new Set(told.map((place) => textAt(sources, place)))
  const values = new Set(leaves(reading.config).map(([, value]) => String(value)))
  const { system, local, configD } = sources
  const files = [system, local, ...configD].filter((source) => source !== undefined && 'bytes' in source)
  return files.flatMap(({ file, bytes }) => {
    const { root } = readYaml(new Source('system', file, new TextDecoder().decode(bytes)))
    return (root === null ? [] : leafValues(root)).flatMap((leaf) => {
      const place = placeOf(leaf)
      const isNothing =
        leaf.kind !== 'scalar' || leaf.value === null || leaf.value === '' || leaf.value === false
      // A value that stands twice is there as long as one of them is.
      const isRepeated =
        leaf.kind === 'scalar' && (values.has(String(leaf.value)) || textsTold.has(textAt(sources, place)))
      const isTold = told.some((outer) => contains(outer, place))
      return isNothing || isRepeated || isTold ? [] : [place]
    })
  })
}

describe('reading any sources', () => {
  test('gives the same answer twice, and an origin for exactly the leaves of the result', { timeout }, () => {
    fc.assert(
      fc.property(configSources, (sources) => {
        const reading = readConfig(sources)
        expect(readConfig(sources)).toEqual(reading)
        expect(unexplained(reading)).toEqual([])
        expect(new Set(reading.findings.map(({ key }) => key)).size).toBe(reading.findings.length)
      }),
      runs,
    )
  })

  test('points at text that holds the value, unless it says the value was changed', { timeout }, () => {
    fc.assert(
      fc.property(configSources, (sources) => {
        expect(misplaced(sources, merged(readConfig(sources)))).toEqual([])
      }),
      runs,
    )
  })

  test('loses no value of any file without a word', { timeout }, () => {
    fc.assert(
      fc.property(configSources, (sources) => {
        expect(lostSilently(sources, merged(readConfig(sources)))).toEqual([])
      }),
      runs,
    )
  })
})
