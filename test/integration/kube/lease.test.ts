import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { connectCluster } from '../../../src/adapters/kube.ts'
import { exitCode } from '../../../src/core/errors.ts'
import type { LeaseStore } from '../../../src/migrate/ports.ts'
import { controlPlaneMissing, startControlPlane, type ControlPlane } from '../../support/control-plane.ts'
import { requirePart } from '../../support/require-part.ts'

const signal = AbortSignal.timeout(170_000)
const path = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/k3os-migrate'
const first = {
  holder: 'kim@desk/1/run-1',
  durationSeconds: 60,
  acquiredAt: '2026-11-24T08:00:00.000Z',
  renewedAt: '2026-11-24T08:00:00.123Z',
  transitions: 1,
  annotations: { 'k3os-migrate/command': 'apply plan.json', 'k3os-migrate/job': null },
}

for (const age of ['1.20', '1.35'] as const)
  describe.skipIf(requirePart('KUBE', controlPlaneMissing(age)))(`the Lease on ${age}`, () => {
    let cluster: ControlPlane
    let lease: LeaseStore

    beforeAll(async () => {
      cluster = await startControlPlane({ age })
      ;({ lease } = await connectCluster({ kubeconfig: cluster.kubeconfig }, {}))
    })
    afterAll(async () => {
      await cluster?.stop()
    })
    beforeEach(async () => {
      await cluster.request('DELETE', path)
    })

    test('is none at first', async () => {
      expect(await lease.read(signal)).toBeUndefined()
    })

    test('comes back as it was made', async () => {
      const made = await lease.create(first, signal)
      expect([made, await lease.read(signal)]).toMatchObject([
        { ...first, annotations: { 'k3os-migrate/command': 'apply plan.json' } },
        { version: made?.version, renewedAt: first.renewedAt },
      ])
    })

    test('is made by one of several', async () => {
      const all = await Promise.all(Array.from({ length: 8 }, async () => lease.create(first, signal)))
      expect(all.filter((made) => made !== undefined)).toHaveLength(1)
    })

    test('is changed by one of several that saw the same version', async () => {
      const { version = '' } = (await lease.create(first, signal)) ?? {}
      const holders = Array.from({ length: 8 }, (_, index) => `sam@laptop/${index}/run-2`)
      const all = await Promise.all(holders.map(async (holder) => lease.update(version, { holder }, signal)))
      const taken = all.filter((state) => state !== undefined)
      expect([taken.length, (await lease.read(signal))?.holder]).toEqual([1, taken[0]?.holder])
    })

    test('keeps what a change does not name, and loses what it says', async () => {
      const { version = '' } = (await lease.create(first, signal)) ?? {}
      const annotations = { 'k3os-migrate/command': null, 'k3os-migrate/run-record': '{}' }
      const renewedAt = '2026-11-24T08:01:00.000Z'
      await lease.update(version, { holder: null, renewedAt, annotations }, signal)
      expect(await lease.read(signal)).toMatchObject({
        holder: null,
        durationSeconds: 60,
        acquiredAt: first.acquiredAt,
        renewedAt,
        annotations: { 'k3os-migrate/run-record': '{}' },
      })
    })

    test('that is gone is not changed', async () => {
      const { version = '' } = (await lease.create(first, signal)) ?? {}
      await cluster.request('DELETE', path)
      expect(await lease.update(version, { holder: null }, signal)).toBeUndefined()
    })

    test('cannot be read with credentials that do not count, and says so', async () => {
      const { server } = cluster
      const kubeconfig = join(mkdtempSync(join(tmpdir(), 'lease-')), 'kubeconfig')
      const config = {
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'c', cluster: { server, 'insecure-skip-tls-verify': true } }],
        users: [{ name: 'u', user: { token: 'expired' } }],
        contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
        'current-context': 'c',
      }
      writeFileSync(kubeconfig, JSON.stringify(config), { mode: 0o600 })
      const other = await connectCluster({ kubeconfig }, {})
      await expect(other.lease.read(signal)).rejects.toMatchObject({ exitCode: exitCode.permission })
    })
  })
