import { describe, expect, test } from 'vitest'
import { lastApplied } from '../../../src/core/last-applied.ts'
import { manifestObjects } from '../../../src/core/manifest-objects.ts'

const names = (text: string) => manifestObjects(text)?.map(({ kind, name }) => `${kind} ${name}`)

describe('the objects of a manifest', () => {
  test('come in their order, without empty documents', () => {
    const text =
      '---\n# only a comment\n---\napiVersion: v1\nkind: A\nmetadata: {name: a}\n---\napiVersion: v1\nkind: B\n'
    expect(names(text)).toEqual(['A a', 'B '])
  })

  test('of a List are its members', () => {
    const items = [{ apiVersion: 'v1', kind: 'A', metadata: { name: 'a' } }]
    expect(names(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))).toEqual(['A a'])
  })

  test('are found without following aliases, however many there are', () => {
    const layers = Array.from({ length: 30 }, (_, i) => `l${i + 1}: &l${i + 1} [*l${i}, *l${i}, *l${i}]`)
    const text = `apiVersion: v1\nkind: A\nl0: &l0 [x, x]\n${layers.join('\n')}\n`
    expect(names(text)).toEqual(['A '])
  })

  test.each(['a: [b', '- a list', 'just words'])('are unknown in %s', (text) => {
    expect(manifestObjects(text)).toBeUndefined()
  })
})

describe('what kubectl applied', () => {
  const raw = (annotation: string) => ({
    metadata: {
      name: 'web',
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': annotation },
    },
    data: 'x',
  })

  test('is the version it was given, and nothing of the rest', () => {
    const given = {
      apiVersion: 'extensions/v1beta1',
      kind: 'Ingress',
      metadata: { name: 'web', namespace: 'shop', annotations: { a: 'CANARY' } },
      spec: { rules: 'CANARY' },
    }
    expect(lastApplied(raw(JSON.stringify(given)))).toEqual({
      apiVersion: 'extensions/v1beta1',
      kind: 'Ingress',
      namespace: 'shop',
      name: 'web',
    })
  })

  test.each(['no JSON', '{}', '{"apiVersion": 1}'])('is not guessed from %s', (annotation) => {
    expect(lastApplied(raw(annotation))).toBeNull()
  })
})
