import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import type { AssessRuleId } from '../../src/core/assess/found.ts'
import type { Rule } from '../../src/core/findings.ts'
import { assessRules } from '../../src/core/rules/assess.ts'
import { configRules } from '../../src/core/rules/config.ts'
import { inPlaceRules } from '../../src/core/rules/in-place.ts'
import { translateRules } from '../../src/core/rules/translate.ts'
import { code, inline, markdownTable } from '../../src/output/markdown.ts'
import { gateCases } from './gate-cases.ts'

const testFile = 'test/unit/core/assess/gates.test.ts'
const root = join(import.meta.dirname, '../..')

type Rules = Readonly<Record<string, Rule<never>>>

/** Rules of everything that is not a gate of `assess`, by what they are about. */
const others: readonly { readonly title: string; readonly about: string; readonly rules: Rules }[] = [
  {
    title: 'Configuration of a node',
    about:
      'What k3OS does with the files of a node that their author hardly meant: `config` and `assess` say it, with file and line.',
    rules: configRules,
  },
  {
    title: 'Moving in place',
    about: 'Asked on the node itself, when planning and once more right before its disk is touched.',
    rules: inPlaceRules,
  },
  {
    title: 'Translation',
    about: 'What `translate` does not carry, or carries otherwise, to any target.',
    rules: translateRules,
  },
]

/** Rules that no input leads to as far as anybody knows: should one do, it is not lost without a word. */
const nets: ReadonlySet<string> = new Set(['CFG-NO-EFFECT'])

/** `docs/gates.md`: every rule, and what proves both of its sides. */
export function gatesPage(): string {
  const rows = (Object.entries(assessRules) as [AssessRuleId, Rule<never>][]).map(([id, rule]) => [
    ...head(id, rule),
    inline(gateCases[id].fails.when),
    inline(gateCases[id].passes.when),
  ])
  return [
    '# Gates\n',
    'Everything this tool may say about a node, a cluster or a translation. An inhibitor stops a plan; one that may be waived can be accepted in `waivers.yaml` with a reason and a name. The severity is the usual one: some findings are milder or worse by what was found. This page is made from the rules and their tests by `npm run gates`; a rule without any does not pass the tests.\n',
    '## Assessment\n',
    `What \`k3os-migrate assess\` looks for. The last two columns are test cases (\`${testFile}\`, named \`RULE > fails when …\` and \`RULE > passes when …\`): the first must give the finding, the second, which is as near to it as it gets, must not.\n`,
    markdownTable([...columns, 'Fails when', 'Passes when'], rows),
    ...others.flatMap(({ title, about, rules }) => [
      `\n## ${title}\n`,
      `${about} The last column names the first test that gives the finding. A golden case holds every finding of its input, so each of the other cases proves that the rule is quiet there.\n`,
      markdownTable(
        [...columns, 'Shown by'],
        Object.entries(rules).map(([id, rule]) => [...head(id, rule), shownBy(id)]),
      ),
    ]),
  ].join('\n')
}

const columns = ['Rule', 'Title', 'Severity', 'Waivable']

function head(id: string, rule: Rule<never>): string[] {
  return [code(id), inline(rule.title), rule.severity, rule.waivable === true ? 'yes' : '']
}

/** Rules that no test gives and that are not kept as a net. */
export function unshownRules(): string[] {
  return others
    .flatMap(({ rules }) => Object.keys(rules))
    .filter((id) => !nets.has(id) && placesOf(id) === undefined)
}

function shownBy(id: string): string {
  if (nets.has(id)) return 'nothing known leads to it: a safety net'
  const [place] = placesOf(id) ?? []
  return place === undefined ? '' : code(place)
}

let places: ReadonlyMap<string, readonly string[]> | undefined

/** Golden cases that hold the finding, else files of unit tests that name it. */
function placesOf(id: string): readonly string[] | undefined {
  places ??= readPlaces()
  return places.get(id)
}

function readPlaces(): ReadonlyMap<string, readonly string[]> {
  const golden = mentions(join(root, 'test/golden'), (file) => /\/expect(ed)?[^/]*|\/findings\./.test(file))
  const unit = mentions(join(root, 'test/unit'), (file) => file.endsWith('.test.ts'))
  const found = new Map([...unit].map(([id, files]) => [id, [...files].toSorted()]))
  // `test/golden/translate/vlan-by-command/expect/…` is the case `test/golden/translate/vlan-by-command`.
  for (const [id, files] of golden)
    found.set(id, [...new Set([...files].map((file) => file.split('/').slice(0, 4).join('/')))].toSorted())
  return found
}

function mentions(folder: string, isMeant: (file: string) => boolean): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>()
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const file = relative(root, path).split(sep).join('/')
    if (!entry.isFile() || !isMeant(file)) continue
    for (const [id] of readFileSync(path, 'utf8').matchAll(/\b(?:CFG|TRN|PRE)(?:-[A-Z0-9]+)+\b/g))
      found.set(id, (found.get(id) ?? new Set()).add(file))
  }
  return found
}
