import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { assessmentReport, type AssessFormat } from '../../../src/commands/assess-report.ts'
import { fiveNodes, fiveNodesInventory } from '../../support/five-nodes.ts'
import { requirePart } from '../../support/require-part.ts'

// What CI systems read goes through the schema Jenkins uses and the validator GitHub recommends.

const script = fileURLToPath(new URL('../../../lab/report-judges.sh', import.meta.url))
const paths = new Map(
  execFileSync(script, ['--where'], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.split(' ', 2) as [string, string]),
)
const xsd = paths.get('junit-xsd') ?? ''
const multitool = paths.get('sarif-multitool') ?? ''

const xmllint = spawnSync('xmllint', ['--version']).error === undefined
const skipJunit = requirePart(
  'JUNIT_SCHEMA',
  existsSync(xsd) && xmllint
    ? undefined
    : 'the judges of JUnit are missing: lab/report-judges.sh; apt-get install libxml2-utils',
)
const skipSarif = requirePart(
  'SARIF_MULTITOOL',
  existsSync(multitool) ? undefined : 'the judge of SARIF is missing: lab/report-judges.sh',
)

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'reports-'))
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const cases = {
  'five nodes': () => fiveNodes(),
  'no cluster': () => fiveNodes({ inventory: { ...fiveNodesInventory(), cluster: null } }),
  'nothing at all': () => fiveNodes({ inventory: { ...fiveNodesInventory(), cluster: null, nodes: [] } }),
}

function write(name: keyof typeof cases, format: AssessFormat): string {
  const file = join(folder, `${name.replaceAll(' ', '-')}.${format}`)
  writeFileSync(
    file,
    assessmentReport(cases[name](), format, { for: 'file', inventoryFile: 'k3os-inventory/inventory.yaml' }),
  )
  return file
}

describe.skipIf(skipJunit)("the schema of Jenkins' JUnit files accepts", () => {
  const judge = (file: string) =>
    spawnSync('xmllint', ['--noout', '--schema', xsd, file], { encoding: 'utf8' })

  test.each(Object.keys(cases) as (keyof typeof cases)[])('%s', (name) => {
    const { status, stderr } = judge(write(name, 'junit'))
    expect([status, stderr]).toEqual([0, expect.stringContaining('validates')])
  })

  test('and refuses what is wrong', () => {
    const file = write('five nodes', 'junit')
    writeFileSync(file, readFileSync(file, 'utf8').replace('<testcase', '<testcas'))
    expect(judge(file).status).not.toBe(0)
  })
})

interface Verdict {
  readonly runs: readonly {
    readonly results?: readonly { readonly ruleId: string; readonly level?: string }[]
  }[]
}

describe.skipIf(skipSarif)('the rules of SARIF and of code scanning accept', () => {
  /** It ends with 0 whatever it finds: what it found stands in its own file. */
  const judge = (file: string): readonly string[] => {
    const out = `${file}.verdict`
    const flags = ['--rule-kind', 'Sarif;Ghas', '--output', out, '--log', 'ForceOverwrite']
    execFileSync(multitool, ['validate', file, ...flags], {
      env: { ...process.env, DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: '1' },
      stdio: 'pipe',
    })
    const { runs } = JSON.parse(readFileSync(out, 'utf8').replace(/^\ufeff/, '')) as Verdict
    return runs.flatMap(({ results }) =>
      (results ?? []).map(({ ruleId, level }) => `${ruleId} ${level ?? 'warning'}`),
    )
  }

  // The project has no home page to name yet (SARIF2005).
  test.each(Object.keys(cases) as (keyof typeof cases)[])('%s', (name) => {
    expect(judge(write(name, 'sarif')).filter((one) => !one.startsWith('SARIF2005'))).toEqual([])
  })

  test('and refuse what is wrong', () => {
    const file = write('five nodes', 'sarif')
    writeFileSync(file, readFileSync(file, 'utf8').replace('"startLine": 3', '"startLine": -3'))
    expect(judge(file)).not.toEqual([])
  })
})
