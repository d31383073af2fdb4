import { describe, expect, test } from 'vitest'
import type { MachineCertificate } from '../../../../src/core/machine-facts.ts'
import type { Assessment } from '../../../../src/core/assessment.ts'
import { checkResult, cluster, inventory, look, machine, of } from './builders.ts'

// The machines of these tests were read on 2026-11-23.
function leaf(notAfter: string, changes: Partial<MachineCertificate> = {}): MachineCertificate {
  return {
    path: '/var/lib/rancher/k3s/agent/client-kubelet.crt',
    subject: 'system:node:a1',
    issuer: 'k3s-client-ca@1600000000',
    notBefore: '2025-11-23T00:00:00Z',
    notAfter,
    ...changes,
  }
}

function authority(notAfter: string, path = '/var/lib/rancher/k3s/server/tls/server-ca.crt') {
  const name = 'k3s-server-ca@1600000000'
  return leaf(notAfter, { path, subject: name, issuer: name })
}

function withCertificates(...certificates: readonly MachineCertificate[]): Assessment {
  return look(inventory(cluster(), [machine('s1'), machine('a1', { certificates: [...certificates] })]))
}

describe('PRE-CERTS', () => {
  test.each([
    ['31 days left', '2026-12-24T00:00:00Z', 'pass', undefined],
    ['30 days left', '2026-12-23T00:00:00Z', 'fail', 'high'],
    ['2 days left', '2026-11-25T00:00:00Z', 'fail', 'high'],
    ['1 day left', '2026-11-24T00:00:00Z', 'fail', 'inhibitor'],
    ['expired', '2022-10-08T11:02:03Z', 'fail', 'inhibitor'],
  ])('a leaf with %s', (_, notAfter, result, severity) => {
    const assessment = withCertificates(leaf(notAfter))
    expect(checkResult(assessment, 'PRE-CERTS')).toBe(result)
    expect(of(assessment, 'PRE-CERTS')[0]?.severity).toBe(severity)
  })

  test.each([
    ['181 days left', '2027-05-23T00:00:00Z', 'pass'],
    ['180 days left', '2027-05-22T00:00:00Z', 'fail'],
  ])('a CA with %s', (_, notAfter, result) => {
    expect(checkResult(withCertificates(authority(notAfter)), 'PRE-CERTS')).toBe(result)
  })

  test('the same CA in the chain of other files is one', () => {
    const chain = authority('2027-01-01T00:00:00Z', '/var/lib/rancher/k3s/agent/client-kubelet.crt')
    const [f, ...more] = of(withCertificates(authority('2027-01-01T00:00:00Z'), chain), 'PRE-CERTS')
    expect(more).toEqual([])
    expect(f).toMatchObject({
      key: 'PRE-CERTS:Node/a1:ca',
      summary: '1 CA certificate of k3s on a1 runs out, the first on 2027-01-01 (39 days)',
    })
  })

  test('says what ran out and how to renew it', () => {
    const [f] = of(withCertificates(leaf('2022-10-08T11:02:03Z')), 'PRE-CERTS')
    expect(f?.summary).toBe('1 certificate of k3s on a1 ran out on 2022-10-08')
    expect(f?.remediations.map(({ text }) => text)).toContain(
      "ssh rancher@a1.example 'sudo rc-service k3s-service restart'",
    )
  })

  test('no certificate is no evidence of a good one', () => {
    const [f] = of(withCertificates(), 'PRE-CERTS')
    expect(f).toMatchObject({ key: 'PRE-CERTS:Node/a1:unread', severity: 'medium' })
  })

  test('cannot be told of a machine that was not read', () => {
    const unread = { name: 'a1', address: null, status: 'error' as const, reason: 'connection refused' }
    expect(checkResult(look(inventory(cluster(), [machine('s1'), unread])), 'PRE-CERTS')).toBe('error')
  })
})
