import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { collectorScript } from '../../../src/adapters/collector.ts'
import { inventory } from '../../../src/commands/inventory.ts'
import { readInventory } from '../../../src/commands/read-inventory.ts'
import { bundleOf, k3osNode } from '../../support/k3os-node.ts'
import { recordingIo } from '../../support/recording-io.ts'
import { requirePart } from '../../support/require-part.ts'
import { missingForK3osRoot, type SshLab, type SshNode, startSshLab } from '../../support/sshd.ts'

const skip = requirePart('SSHD', missingForK3osRoot())
const count = 100

describe.skipIf(skip)('a fleet', () => {
  let lab: SshLab
  let nodes: readonly SshNode[]
  let cwd: string
  beforeAll(async () => {
    lab = startSshLab()
    cwd = await mkdtemp(join(tmpdir(), 'fleet-'))
    nodes = await lab.startFleet(count, bundleOf(k3osNode()))
  })
  afterAll(async () => {
    await lab.stop()
    await rm(cwd, { recursive: true })
  })

  test(`of ${count} nodes is read at once: each is itself, one login and one command each`, async () => {
    const io = recordingIo(cwd, { env: { HOME: lab.home } })
    const started = performance.now()
    const exit = await inventory(
      {
        host: nodes.map(({ host, port }) => `${host}:${port}`),
        cluster: false,
        user: 'rancher',
        parallel: 16,
        timeout: 60_000,
        out: 'inv',
        output: 'table',
      },
      io,
    )
    const seconds = (performance.now() - started) / 1000
    expect(exit).toBe(0)
    const { nodes: read } = await readInventory(join(cwd, 'inv/inventory.yaml'))
    const expected = nodes
      .map(({ name }) => [name, 'read', `uuid-of-${name}`])
      .toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1))
    expect(
      read.map((node) => [
        node.name,
        node.status,
        node.status === 'read' ? node.facts.systemUuid : node.reason,
      ]),
    ).toEqual(expected)
    expect(read.flatMap((node) => (node.status === 'read' ? node.facts.failures : []))).toEqual([])

    const bundles = await readdir(join(cwd, 'inv/bundles'))
    const sizes = await Promise.all(
      bundles.map(async (name) => (await stat(join(cwd, 'inv/bundles', name))).size),
    )
    const received = sizes.reduce((sum, size) => sum + size, 0) / count
    const sent = Buffer.byteLength(collectorScript())
    // oxlint-disable-next-line no-console -- the numbers are what this test is run for
    console.log(
      `fleet: ${count} nodes in ${seconds.toFixed(1)} s, for each 1 connection, 1 command, ${sent} bytes sent, ${Math.round(received)} received`,
    )
    expect(received).toBeLessThan(64 * 1024)
  })
})
