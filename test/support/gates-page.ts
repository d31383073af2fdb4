import { assessRules } from '../../src/core/rules/assess.ts'
import type { AssessRuleId } from '../../src/core/assess/found.ts'
import type { Rule } from '../../src/core/findings.ts'
import { code, inline, markdownTable } from '../../src/output/markdown.ts'
import { gateCases } from './gate-cases.ts'

const testFile = 'test/unit/core/assess/gates.test.ts'

/** `docs/gates.md`: every rule of `assess`, and the cases that prove both of its sides. */
export function gatesPage(): string {
  const rows = (Object.entries(assessRules) as [AssessRuleId, Rule<never>][]).map(([id, rule]) => [
    code(id),
    inline(rule.title),
    rule.severity,
    rule.waivable === true ? 'yes' : '',
    inline(gateCases[id].fails.when),
    inline(gateCases[id].passes.when),
  ])
  return [
    '# Gates\n',
    'Everything `k3os-migrate assess` looks for, besides the findings of each configuration (`CFG-…`). An inhibitor stops a plan; one that may be waived can be accepted in `waivers.yaml` with a reason and a name. The severity is the usual one: some findings are milder or worse by what was found.\n',
    `The last two columns are test cases (\`${testFile}\`, named \`RULE > fails when …\` and \`RULE > passes when …\`): the first must give the finding, the second, which is as near to it as it gets, must not. This page is made from the rules and the cases by \`npm run gates\`; a rule without both does not pass the tests.\n`,
    markdownTable(['Rule', 'Title', 'Severity', 'Waivable', 'Fails when', 'Passes when'], rows),
  ].join('\n')
}
