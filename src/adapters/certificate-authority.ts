import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectKeyIdentifier,
  id_kp_clientAuth,
  id_kp_serverAuth,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509'
import { AsnConvert, OctetString } from '@peculiar/asn1-schema'
import { createPublicKey, randomBytes, sign, type KeyObject } from 'node:crypto'

const organizationName = '2.5.4.10'
const ecdsaWithSha256 = '1.2.840.10045.4.3.2'
const ed25519 = '1.3.101.112'

/** What a certificate of a CA says of itself. */
export interface Authority {
  /** Null: an empty subject. */
  readonly organization: string | null
  readonly notBefore: Date
  readonly notAfter: Date
}

/**
 * A self-signed X.509 certificate of a CA, as PEM. The key is a private one, on P-256 or Ed25519. It may sign certificates and
 * serve and connect itself, as siderolabs/crypto x509/certificate_authority.go has it.
 */
export function authorityCertificate(key: KeyObject, authority: Authority): string {
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' })
  const algorithm = new AlgorithmIdentifier({
    algorithm: key.asymmetricKeyType === 'ed25519' ? ed25519 : ecdsaWithSha256,
  })
  const name = subject(authority.organization)
  const body = new TBSCertificate({
    version: Version.v3,
    serialNumber: serialNumber(),
    signature: algorithm,
    issuer: name,
    validity: new Validity({ notBefore: authority.notBefore, notAfter: authority.notAfter }),
    subject: name,
    subjectPublicKeyInfo: AsnConvert.parse(publicKey, SubjectPublicKeyInfo),
    extensions: new Extensions([
      extension(
        id_ce_keyUsage,
        true,
        new KeyUsage(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign),
      ),
      extension(id_ce_extKeyUsage, false, new ExtendedKeyUsage([id_kp_serverAuth, id_kp_clientAuth])),
      extension(id_ce_basicConstraints, true, new BasicConstraints({ cA: true })),
      extension(id_ce_subjectKeyIdentifier, false, new SubjectKeyIdentifier(randomBytes(20))),
    ]),
  })
  const signed = Buffer.from(AsnConvert.serialize(body))
  const certificate = new Certificate({
    tbsCertificate: body,
    signatureAlgorithm: algorithm,
    signatureValue: bytesOf(sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', signed, key)),
  })
  return pem('CERTIFICATE', Buffer.from(AsnConvert.serialize(certificate)))
}

/** RFC 7468. */
export function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}

function subject(organization: string | null): Name {
  if (organization === null) return new Name([])
  const value = new AttributeValue({ utf8String: organization })
  return new Name([
    new RelativeDistinguishedName([new AttributeTypeAndValue({ type: organizationName, value })]),
  ])
}

/** Positive, and of 128 random bits at most: RFC 5280, 4.1.2.2. */
function serialNumber(): ArrayBuffer {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytesOf(bytes)
}

function extension(id: string, critical: boolean, value: object): Extension {
  return new Extension({ extnID: id, critical, extnValue: new OctetString(AsnConvert.serialize(value)) })
}

/** The library takes buffers of their own, and Node's are views of larger ones. */
function bytesOf(bytes: Buffer): ArrayBuffer {
  return Uint8Array.from(bytes).buffer
}
