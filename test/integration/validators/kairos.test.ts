import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { goldenFile, missingTools, shellcheck } from '../../support/judges.ts'
import { requirePart } from '../../support/require-part.ts'
import { sharedDir } from '../../support/shared.ts'
import { missingValidators, validate } from '../../support/validators.ts'

// Kairos takes every configuration (matrix.test.ts) and refuses these. It knows nothing of stages, which yip.test.ts judges, and
// of k3s: for both, and for keys that nobody reads, test/unit/translators/yip.test.ts has rules of its own.

const skip = requirePart('VALIDATORS', missingValidators() ?? missingTools(['shellcheck'], 'shellcheck'))
const read = (name: string, file = 'user-data') => readFileSync(goldenFile(name, 'kairos', file), 'utf8')

const schemas = sharedDir('schemas/kairos')
if (schemas === undefined) process.stderr.write('skipped: schemas of Kairos 4.2, as there is no ../shared\n')

describe.skipIf(skip)('refused is', () => {
  const right = skip ? '' : read('agent-with-taints')

  it.each([
    ['a missing header', '#cloud-config\n', ''],
    ['a configuration without users', 'users:\n', 'people:\n'],
    ['a user without a name', '- name: rancher', '- called: rancher'],
    ['groups that are no list', 'groups:\n      - admin', 'groups: admin'],
    ['a disk that is none', 'device: /dev/', 'device: dev/'],
  ])('%s', (_, good, bad) => {
    expect(right).toContain(good)
    expect(validate('kairos', right.replace(good, bad)).accepted).toBe(false)
  })

  it.skipIf(schemas === undefined).each([
    [
      'a block of k3s with a key that is not read',
      'cloud-config.v4.2.0.derived.json',
      'enabled: true',
      'server: x',
    ],
    [
      'a mode as a text',
      'yip-stages.mudler-yip-1.24.derived.json',
      'permissions: 420',
      'permissions: "0644"',
    ],
    [
      'a key of a step that does not exist',
      'yip-stages.mudler-yip-1.24.derived.json',
      'directories:',
      'dirs:',
    ],
  ])('%s', (_, schema, good, bad) => {
    expect(right).toContain(good)
    const verdict = validate('json-schema', right.replace(good, bad), '-schema', `${schemas}/${schema}`)
    expect(verdict.accepted).toBe(false)
  })

  it('a recipe with a variable that is not quoted', () => {
    const recipe = read('agent-with-taints', 'build-image.sh')
    expect(shellcheck(recipe.replace('"$AURORABOOT"', '$AURORABOOT'), 'sh').accepted).toBe(false)
  })
})
