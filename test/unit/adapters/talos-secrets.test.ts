import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { makeTalosSecrets } from '../../../src/adapters/talos-secrets.ts'

interface Bundle {
  readonly cluster: { readonly id: string; readonly secret: string }
  readonly secrets: { readonly bootstraptoken: string; readonly secretboxencryptionsecret: string }
  readonly trustdinfo: { readonly token: string }
  readonly certs: Readonly<Record<string, { readonly crt: string; readonly key: string }>>
}

const now = new Date('2026-11-24T12:00:00Z')
const made = parse(await makeTalosSecrets(now, '1.14')) as Bundle
const decoded = (text: string | undefined) => Buffer.from(text ?? '', 'base64').toString()

test('holds what talosctl writes, and nothing else', () => {
  expect(Object.keys(made)).toEqual(['cluster', 'secrets', 'trustdinfo', 'certs'])
  expect(Object.keys(made.certs)).toEqual(['etcd', 'k8s', 'k8saggregator', 'k8sserviceaccount', 'os'])
  for (const secret of [made.cluster.secret, made.secrets.secretboxencryptionsecret])
    expect(Buffer.from(secret, 'base64')).toHaveLength(32)
  for (const token of [made.secrets.bootstraptoken, made.trustdinfo.token])
    expect(token).toMatch(/^[0-9a-z]{6}\.[0-9a-z]{16}$/)
})

test.each([
  ['etcd', 'O=etcd', 'ec', 'EC PRIVATE KEY'],
  ['k8s', 'O=kubernetes', 'ec', 'EC PRIVATE KEY'],
  ['k8saggregator', '', 'ec', 'EC PRIVATE KEY'],
  ['os', 'O=talos', 'ed25519', 'ED25519 PRIVATE KEY'],
])('the CA %s signs itself with its own key', (name, subject, type, label) => {
  const certificate = new X509Certificate(decoded(made.certs[name]?.crt))
  const pem = decoded(made.certs[name]?.key)
  expect(pem).toContain(`-----BEGIN ${label}-----`)
  const key = createPrivateKey(pem.replaceAll('ED25519 PRIVATE KEY', 'PRIVATE KEY'))
  expect(key.asymmetricKeyType).toBe(type)
  expect(certificate.verify(createPublicKey(key))).toBe(true)
  expect(certificate.checkPrivateKey(key)).toBe(true)
  expect({
    ca: certificate.ca,
    subject: certificate.subject ?? '',
    issuer: certificate.issuer ?? '',
  }).toEqual({ ca: true, subject, issuer: subject })
  expect(certificate.validFromDate).toEqual(now)
  expect(certificate.validToDate).toEqual(new Date(now.getTime() + 87_600 * 3_600_000))
  expect(certificate.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/)
})

test('the key of service accounts is RSA, without a certificate', () => {
  const { key, ...rest } = made.certs['k8sserviceaccount'] ?? { key: '' }
  expect(rest).toEqual({})
  expect(decoded(key)).toContain('-----BEGIN RSA PRIVATE KEY-----')
  expect(createPrivateKey(decoded(key)).asymmetricKeyDetails).toMatchObject({ modulusLength: 4096 })
})

test('makes all of it anew each time', async () => {
  const texts = (bundle: Bundle) =>
    JSON.stringify(bundle)
      .split('"')
      .filter((text) => text.length > 20 && /[^a-z]/.test(text))
  const again = parse(await makeTalosSecrets(now, '1.13')) as Bundle
  expect(texts(again).filter((text) => texts(made).includes(text))).toEqual([])
  expect(texts(made).length).toBeGreaterThan(13)
  expect(again.cluster.id).toMatch(/^[\w-]{43}$/)
})
