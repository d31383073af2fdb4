import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { goldenFile } from '../../support/judges.ts'
import { requirePart } from '../../support/require-part.ts'
import { sharedDir } from '../../support/shared.ts'
import { missingValidators, validate } from '../../support/validators.ts'

// The objects for Rancher (all of them: matrix.test.ts), judged as its API server would: by the published CRDs of elemental-operator and Rancher, with
// Kubernetes' own code. What the CRDs leave open has rules in test/unit/translators/yip.test.ts.

const crds = sharedDir('schemas/elemental')
if (crds === undefined)
  process.stderr.write('skipped: objects for Rancher, as there is no ../shared with its CRDs\n')
const skip = requirePart('VALIDATORS', missingValidators()) || crds === undefined

const read = (name: string, file: string) => readFileSync(goldenFile(name, 'elemental-rancher', file), 'utf8')

const byCrds = (text: string) => validate('manifest', text, '-crds', `${crds}/*/*.yaml`)

/** The name is left to the reader, in a form that no API server takes. */
const named = (text: string) => text.replace('name: CLUSTER', 'name: shops')

describe.skipIf(skip)('refused is', () => {
  it('a cluster whose name was not filled in', () => {
    expect(byCrds(read('agent-with-taints', 'cluster.yaml')).accepted).toBe(false)
  })

  it.each([
    ['registration.yaml', 'a key that does not exist', 'eject-cd:', 'ejectCd:'],
    ['registration.yaml', 'a value of another type', 'maxSnaps: 4', 'maxSnaps: "4"'],
    ['registration.yaml', 'a kind of image that does not exist', 'type: iso', 'type: qcow2'],
    ['registration.yaml', 'an object without what it must have', 'registrationRef:', 'registration:'],
    ['registration.yaml', 'a kind that does not exist', 'kind: SeedImage', 'kind: SeedImages'],
    ['cluster.yaml', 'a pool without a name', '- name: ', '- called: '],
    ['cluster.yaml', 'a taint with a key that does not exist', 'effect:', 'efect:'],
  ])('in %s %s', (file, _, good, bad) => {
    const right = named(read('agent-with-taints', file))
    expect(right).toContain(good)
    expect(byCrds(right).accepted).toBe(true)
    expect(byCrds(right.replace(good, bad)).accepted).toBe(false)
  })
})

describe.skipIf(requirePart('VALIDATORS', missingValidators()))('built-in kinds', () => {
  const manifest = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: b}\n'

  it('are judged by their own types', () => {
    expect(validate('manifest', manifest)).toEqual({ accepted: true, said: '' })
    expect(validate('manifest', manifest.replace('data:', 'dat:')).accepted).toBe(false)
    expect(validate('manifest', `${manifest}data: {a: c}\n`).accepted).toBe(false)
  })

  it('an empty file is no manifest', () => {
    expect(validate('manifest', '---\n').accepted).toBe(false)
  })
})
