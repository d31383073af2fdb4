import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { removedApiTable } from '../../../../src/core/data/removed-apis.ts'
import { endedFlagTable, removedFlagTable } from '../../../../src/core/data/removed-flags.ts'
import { removedGateTable } from '../../../../src/core/data/removed-gates.ts'
import { sharedDir } from '../../../support/shared.ts'

/** The tables hold all that the collected data says, row by row. */
const folder = sharedDir('data')

function read<T>(file: string, schema: z.ZodType<T>): T {
  return schema.parse(parse(readFileSync(`${folder ?? ''}/${file}`, 'utf8')))
}

const lines = (table: string): string[] => table.trim().split('\n')
const cells = (table: string, count: number): string[] =>
  lines(table)
    .map((line) => line.split(' ').slice(0, count).join(' '))
    .toSorted()
const minor = (version: string | null | undefined): string => version?.replace(/^1\./, '') ?? '-'

describe.skipIf(folder === undefined)('compared with ../shared/data', () => {
  test('component flags', () => {
    const row = z.object({ component: z.string(), flag: z.string(), removed_in: z.string() })
    const { removed_flags: rows } = read(
      'removed-component-flags.yaml',
      z.object({ removed_flags: z.array(row) }),
    )
    const expected = rows.map(({ component, flag, removed_in }) => {
      const [from = '', to] = removed_in.split('-')
      return `${component} ${flag} ${minor(from)} ${minor(to ?? from)}`
    })
    expect(cells(removedFlagTable, 4)).toEqual(expected.toSorted())
  })

  test('flags and values of k3s itself that it stops at', () => {
    const row = z.object({ fatal_since: z.string().nullish() })
    const { removed_flags: flags, removed_values: values } = read(
      'k3s-flags.yaml',
      z.object({
        removed_flags: z.array(row.extend({ name: z.string() })),
        removed_values: z.array(row.extend({ flag: z.string(), value: z.string() })),
      }),
    )
    const ends = [
      ...flags.map(({ name, fatal_since }) => ({ name, fatal_since })),
      // A value in capitals is a form of many values.
      ...values.flatMap(({ flag, value, fatal_since }) =>
        value.startsWith('BACKEND') ? [] : [{ name: `${flag}=${value}`, fatal_since }],
      ),
    ]
    const expected = ends.flatMap(({ name, fatal_since }) => {
      const [, from] = /^v1\.(\d+)\.0$/.exec(fatal_since ?? '') ?? []
      return from === undefined ? [] : [`${name} ${from}`]
    })
    expect(cells(endedFlagTable, 2)).toEqual(expect.arrayContaining(expected))
    expect(expected.length).toBeGreaterThan(3)
  })

  test('feature gates', () => {
    const row = z.object({
      name: z.string(),
      removed_in: z.string().nullable(),
      locked_in: z.string().nullable(),
      locked_value: z.boolean().nullable(),
      other_source_says: z.string().optional(),
    })
    const { gates } = read('removed-feature-gates.yaml', z.object({ gates: z.array(row) }))
    const expected = gates.map(({ name, removed_in, locked_in, locked_value, other_source_says }) =>
      [name, minor(other_source_says ?? removed_in), minor(locked_in), String(locked_value ?? '-')].join(' '),
    )
    expect(lines(removedGateTable).toSorted()).toEqual(expected.toSorted())
  })

  test('API versions, each kind once', () => {
    const row = z.object({
      group: z.string(),
      version: z.string(),
      kind: z.string(),
      removed_in: z.string(),
    })
    const { removed_apis: rows } = read(
      'removed-kubernetes-apis.yaml',
      z.object({ removed_apis: z.array(row) }),
    )
    const held = lines(removedApiTable).flatMap((line) => {
      const [version, , end, , kinds = ''] = line.split(' ')
      return kinds.split(',').map((kind) => `${version} ${kind} ${end}`)
    })
    const expected = rows.map(
      ({ group, version, kind, removed_in }) => `${group}/${version} ${kind} ${minor(removed_in)}`,
    )
    expect(held.toSorted()).toEqual(expected.toSorted())
  })
})
