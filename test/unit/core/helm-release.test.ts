import { gzipSync, zlibSync } from 'fflate'
import { describe, expect, test } from 'vitest'
import { toBase64 } from '../../../src/core/base64.ts'
import { MigrateError } from '../../../src/core/errors.ts'
import { helmRelease } from '../../../src/core/helm-release.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const canary = 'CANARY-of-a-value'

/** As Helm 3 stores a release: base64 around gzip around JSON, and base64 of the API around that. */
function secret(release: unknown, pack: (data: Uint8Array) => Uint8Array = (data) => gzipSync(data)) {
  const stored = toBase64(pack(bytes(JSON.stringify(release))))
  return {
    metadata: { name: 'sh.helm.release.v1.web.v3', namespace: 'shop' },
    type: 'helm.sh/release.v1',
    data: { release: toBase64(bytes(stored)) },
  }
}

const manifest = `---
# Source: web/templates/pdb.yaml
apiVersion: policy/v1beta1
kind: PodDisruptionBudget
metadata: {name: web, namespace: shop}
spec: {note: ${canary}}
---
apiVersion: v1
kind: Secret
metadata: {name: login}
stringData: {password: ${canary}}
`
const web = { name: 'web', version: 3, manifest, config: { password: canary }, info: { notes: canary } }

describe('a Helm release', () => {
  test('yields versions, kinds and names of its objects, and nothing of what they say', () => {
    const release = helmRelease(secret(web))
    expect(release).toEqual({
      namespace: 'shop',
      name: 'web',
      revision: 3,
      objects: [
        { apiVersion: 'policy/v1beta1', kind: 'PodDisruptionBudget', namespace: 'shop', name: 'web' },
        { apiVersion: 'v1', kind: 'Secret', namespace: null, name: 'login' },
      ],
    })
    expect(JSON.stringify(release)).not.toContain(canary)
  })

  test('that was stored without gzip is read as well', () => {
    expect(helmRelease(secret(web, (data) => data)).objects).toHaveLength(2)
  })

  test.each([
    ['a bomb', secret({ ...web, manifest: 'x'.repeat(40 * 1024 * 1024) })],
    ['other packing', secret(web, (data) => zlibSync(data))],
    ['a cut off one', secret(web, (data) => gzipSync(data).subarray(0, 40))],
    ['a form that Helm does not write', secret({ ...web, version: 'three' })],
    ['a manifest that is no YAML', secret({ ...web, manifest: `a: [${canary}` })],
  ])('%s is an error that names the Secret and nothing in it', (_, raw) => {
    let message = ''
    try {
      helmRelease(raw)
    } catch (error) {
      if (!(error instanceof MigrateError)) throw error
      message = error.message
    }
    expect(message).toMatch(
      /^the Helm release in the Secret shop\/sh\.helm\.release\.v1\.web\.v3 cannot be read: /,
    )
    expect(message).not.toContain(canary)
  })
})
