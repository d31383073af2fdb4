import { describe, expect, it } from 'vitest'
import { templateTools } from '../../../src/adapters/templates.ts'
import { leaves } from '../../../src/core/path.ts'
import { uncovered } from '../../../src/core/translation.ts'
import { translateNode } from '../../../src/core/translate-node.ts'
import { translators } from '../../../translators/index.ts'
import { everyConfiguration } from '../../support/every-configuration.ts'
import { requirePart } from '../../support/require-part.ts'
import { sharedDir } from '../../support/shared.ts'
import {
  missingValidators,
  stagesOfKairos,
  stagesOfRegistration,
  validateAll,
  type Validator,
} from '../../support/validators.ts'
import { elementalMistakes, kairosMistakes } from '../../support/yip-rules.ts'

// Every configuration through every target whose own parser is at hand: accepted, and no value unaccounted for. The golden
// cases are looked at more closely by the other suites; here it is the odd spellings that count.

const skip = requirePart('VALIDATORS', missingValidators())
const crds = sharedDir('schemas/elemental')
const tools = templateTools()

interface Question {
  readonly validator: Validator
  readonly flags: readonly string[]
  readonly text: string
}

type File = (path: string) => string

const ask = (validator: Validator, text: string, ...flags: string[]): Question => ({ validator, flags, text })

function talos(validator: Validator, file: File): Question[] {
  const role = /--output-types (controlplane|worker)/.exec(file('MOVE.md'))?.[1] ?? ''
  return [ask(validator, file('machine.yaml'), '-patch-of', role)]
}

const questions: Readonly<Record<string, (file: File) => readonly Question[]>> = {
  flatcar: (file) => [
    ask('ignition', file('config.ign'), '-strict'),
    ask('butane', file('config.bu'), '-strict'),
  ],
  microos: (file) => [ask('ignition', file('ignition/config.ign'), '-strict')],
  kairos: (file) => [
    ask('kairos', file('user-data')),
    ask('yip', stagesOfKairos(file('user-data')), '-strict'),
  ],
  elemental: (file) => [ask('yip', file('oem/99_k3os_migrate.yaml'), '-strict')],
  'elemental-rancher': (file) => [
    ask('yip', stagesOfRegistration(file('registration.yaml')), '-strict'),
    ...(crds === undefined
      ? []
      : [file('registration.yaml'), file('cluster.yaml').replace('name: CLUSTER', 'name: shops')].map(
          (text) => ask('manifest', text, '-crds', `${crds}/*/*.yaml`),
        )),
  ],
  talos: (file) => talos('talos-1.14', file),
  'talos-1.13': (file) => talos('talos-1.13', file),
}

/** Rules of our own, where the parser lets pass what the machine does not. */
const ownRules: Readonly<Record<string, (file: File) => readonly string[]>> = {
  kairos: (file) => kairosMistakes(file('user-data')),
  elemental: (file) => elementalMistakes(file('oem/99_k3os_migrate.yaml')),
}

const nodes = skip ? [] : everyConfiguration().filter(([, { reading }]) => reading.status === 'merged')

describe.skipIf(skip).each(Object.keys(questions))('%s', (target) => {
  it('is accepted by its own parsers, whatever the configuration', { timeout: 120_000 }, async () => {
    const translator = await translators[target]?.()
    if (translator === undefined) throw new Error(`no translator ${target}`)
    const asked: { readonly name: string; readonly question: Question }[] = []
    const wrong: string[] = []
    let values = 0
    let unaccounted = 0
    for (const [name, node] of nodes) {
      if (node.reading.status !== 'merged') continue
      const result = translateNode(node, translator, tools)
      const file = (path: string) => String(result.files.find((one) => one.path === path)?.content)
      const gaps = uncovered(node.reading.config, result)
      values += leaves(node.reading.config).length
      unaccounted += gaps.length
      asked.push(...(questions[target]?.(file) ?? []).map((question) => ({ name, question })))
      wrong.push(
        ...gaps.map((path) => `${name}: ${path} is unaccounted for`),
        ...(ownRules[target]?.(file) ?? []).map((mistake) => `${name}: ${mistake}`),
      )
    }
    // One run of a parser for all texts that it gets with the same flags.
    const kinds = Map.groupBy(asked, ({ question: { validator, flags } }) => [validator, ...flags].join(' '))
    for (const list of kinds.values()) {
      const [{ question: { validator, flags } } = { question: ask('yip', '') }] = list
      const texts = list.map(({ question }) => question.text)
      for (const [index, { accepted, said }] of validateAll(validator, texts, ...flags).entries())
        if (!accepted) wrong.push(`${list[index]?.name}: ${validator}: ${said}`)
    }
    const judges = [...new Set(asked.map(({ question }) => question.validator))].join(', ')
    process.stderr.write(
      `${target}: ${nodes.length} configurations, ${values} values, ${unaccounted} unaccounted; ${asked.length} documents to ${judges}, ${wrong.length} refused\n`,
    )
    expect(wrong).toEqual([])
    expect(asked.length).toBeGreaterThanOrEqual(nodes.length)
    expect(nodes.length).toBeGreaterThan(50)
  })
})
