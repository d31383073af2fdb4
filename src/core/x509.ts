import { fromBase64 } from './base64.ts'

/** What a certificate says about whom it is for and how long it holds. */
export interface Certificate {
  /** Common names; empty when there is none. */
  readonly subject: string
  readonly issuer: string
  /** `2022-10-08T11:02:03Z` */
  readonly notBefore: string
  readonly notAfter: string
}

/** All certificates of a PEM text, in their order; undefined when one of them is not readable, or there is none. */
export function readCertificates(pem: string): Certificate[] | undefined {
  const blocks = [...pem.matchAll(/-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----/g)]
  const certificates = blocks.map(([, body = '']) => readCertificate(fromBase64(body)))
  const readable = certificates.filter((certificate) => certificate !== undefined)
  return readable.length === 0 || readable.length < certificates.length ? undefined : readable
}

/** One element of DER (X.690): its tag and what is inside. */
interface Element {
  readonly tag: number
  readonly content: Uint8Array
}

const tags = {
  sequence: 0x30,
  set: 0x31,
  objectId: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  version: 0xa0,
}

/** RFC 5280, 4.1: version (optional), serial, algorithm, issuer, validity, subject, … */
function readCertificate(der: Uint8Array | undefined): Certificate | undefined {
  const [outer] = der === undefined ? [] : elements(der)
  const [body] = outer?.tag === tags.sequence ? elements(outer.content) : []
  if (body?.tag !== tags.sequence) return undefined
  const fields = elements(body.content)
  const [, , issuer, validity, subject] = fields[0]?.tag === tags.version ? fields.slice(1) : fields
  if (issuer === undefined || validity === undefined || subject === undefined) return undefined
  const [from, to] = elements(validity.content).map(time)
  if (from === undefined || to === undefined) return undefined
  return { subject: commonName(subject), issuer: commonName(issuer), notBefore: from, notAfter: to }
}

/** The elements side by side in these bytes, up to the first that is not whole. */
function elements(bytes: Uint8Array): Element[] {
  const found: Element[] = []
  let at = 0
  while (at + 2 <= bytes.length) {
    const tag = bytes[at] ?? 0
    let length = bytes[at + 1] ?? 0
    at += 2
    if (length >= 0x80) {
      const octets = length & 0x7f
      if (octets > 4) break
      length = bytes.subarray(at, at + octets).reduce((sum, octet) => sum * 256 + octet, 0)
      at += octets
    }
    if (at + length > bytes.length) break
    found.push({ tag, content: bytes.subarray(at, at + length) })
    at += length
  }
  return found
}

/** 2.5.4.3 */
const commonNameId = [0x55, 0x04, 0x03]

function commonName(name: Element): string {
  for (const set of elements(name.content))
    for (const pair of elements(set.content)) {
      const [type, value] = elements(pair.content)
      if (type?.tag !== tags.objectId || value === undefined) continue
      if (type.content.length === 3 && commonNameId.every((octet, index) => type.content[index] === octet))
        return new TextDecoder().decode(value.content)
    }
  return ''
}

/** RFC 5280, 4.1.2.5: both forms end with seconds and `Z`; two-digit years below 50 are of this century. */
function time({ tag, content }: Element): string | undefined {
  const text = new TextDecoder().decode(content)
  const digits = tag === tags.utcTime ? `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}` : text
  if (tag !== tags.utcTime && tag !== tags.generalizedTime) return undefined
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits) ?? []
  if (second === undefined) return undefined
  return `${year}-${month}-${day}T${hour}:${minute}:${second}Z`
}
