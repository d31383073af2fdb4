import { generateKeyPair, randomBytes, randomInt, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { yaml } from '../core/yaml-text.ts'
import { authorityCertificate, pem } from './certificate-authority.ts'

const generate = promisify(generateKeyPair)

const hoursOfValidity = 87_600

/**
 * The secrets of one new Talos cluster, in the file that `talosctl gen secrets` writes: its identity, two tokens, the key that
 * etcd is encrypted with, four CAs and the key of service accounts. All of it is new at every call; nothing is taken from
 * anywhere. siderolabs/talos pkg/machinery/config/generate/secrets/{bundle,ca,utils}.go.
 */
export async function makeTalosSecrets(now: Date, minor: '1.13' | '1.14'): Promise<string> {
  const [etcd, kubernetes, aggregator, talos, accounts] = await Promise.all([
    ecdsaAuthority(now, 'etcd'),
    ecdsaAuthority(now, 'kubernetes'),
    ecdsaAuthority(now, null),
    ed25519Authority(now, 'talos'),
    serviceAccountKey(),
  ])
  return yaml({
    cluster: {
      id: randomBytes(32).toString(minor === '1.13' ? 'base64url' : 'base64'),
      secret: randomBytes(32).toString('base64'),
    },
    secrets: {
      bootstraptoken: token(),
      secretboxencryptionsecret: randomBytes(32).toString('base64'),
    },
    trustdinfo: { token: token() },
    certs: { etcd, k8s: kubernetes, k8saggregator: aggregator, k8sserviceaccount: accounts, os: talos },
  })
}

interface Pair {
  readonly crt: string
  readonly key: string
}

async function ecdsaAuthority(now: Date, organization: string | null): Promise<Pair> {
  const { privateKey } = await generate('ec', { namedCurve: 'P-256' })
  const key = privateKey.export({ type: 'sec1', format: 'pem' })
  return { crt: certificate(now, privateKey, organization), key: base64(key) }
}

async function ed25519Authority(now: Date, organization: string): Promise<Pair> {
  const { privateKey } = await generate('ed25519')
  // A label of siderolabs/crypto's own around what others call PRIVATE KEY.
  const key = pem('ED25519 PRIVATE KEY', privateKey.export({ type: 'pkcs8', format: 'der' }))
  return { crt: certificate(now, privateKey, organization), key: base64(key) }
}

/** RSA since Talos 1.7: some clouds take no tokens that are signed otherwise. */
async function serviceAccountKey(): Promise<{ readonly key: string }> {
  const { privateKey } = await generate('rsa', { modulusLength: 4096 })
  return { key: base64(privateKey.export({ type: 'pkcs1', format: 'pem' })) }
}

function certificate(now: Date, key: KeyObject, organization: string | null): string {
  const notAfter = new Date(now.getTime() + hoursOfValidity * 3_600_000)
  return base64(authorityCertificate(key, { organization, notBefore: now, notAfter }))
}

/** Of the form `abcdef.0123456789abcdef`, every character as likely as any other. */
function token(): string {
  const characters = '0123456789abcdefghijklmnopqrstuvwxyz'
  const some = (length: number): string =>
    Array.from({ length }, () => characters.charAt(randomInt(characters.length))).join('')
  return `${some(6)}.${some(16)}`
}

function base64(text: string | Buffer): string {
  return Buffer.from(text).toString('base64')
}
