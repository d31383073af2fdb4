import type { MachineCertificate } from '../machine-facts.ts'
import { readCertificates } from '../x509.ts'
import type { Evidence } from './evidence.ts'

/** Where k3s keeps certificates: k3s-io/k3s pkg/daemons/control/deps. */
const patterns = [
  '/var/lib/rancher/k3s/server/tls/*.crt',
  '/var/lib/rancher/k3s/server/tls/etcd/*.crt',
  '/var/lib/rancher/k3s/agent/*.crt',
] as const

export function readMachineCertificates(evidence: Evidence): MachineCertificate[] {
  const paths = patterns.flatMap((pattern) => evidence.matches(pattern))
  return paths.flatMap((path) => {
    const text = evidence.text(path)
    if (text === undefined || text === null) return []
    const certificates = readCertificates(text)
    if (certificates !== undefined) return certificates.map((certificate) => ({ path, ...certificate }))
    evidence.fail(path, 'it is not a certificate that can be read')
    return []
  })
}
