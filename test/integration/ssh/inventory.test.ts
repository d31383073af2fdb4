import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { inventory, type InventoryOptions } from '../../../src/commands/inventory.ts'
import { readInventory } from '../../../src/commands/read-inventory.ts'
import { bundleOf, canaries, k3osNode } from '../../support/k3os-node.ts'
import { type RecordingIo, recordingIo } from '../../support/recording-io.ts'
import { requirePart } from '../../support/require-part.ts'
import { missingForK3osRoot, type SshLab, type SshNode, startSshLab } from '../../support/sshd.ts'

const skip = requirePart('SSHD', missingForK3osRoot())

describe.skipIf(skip)('inventory over real sshds', () => {
  let lab: SshLab
  let nodes: readonly [SshNode, SshNode, SshNode]
  beforeAll(async () => {
    lab = startSshLab()
    const agent = {
      '/etc/init.d/k3s-service': 'command_args="agent \\\n"\n',
      '/proc/sys/kernel/hostname': 'n2\n',
    }
    nodes = [
      await lab.startNode('n1', bundleOf(k3osNode())),
      await lab.startNode('n2', bundleOf(k3osNode({ files: agent }))),
      await lab.startNode('n3', bundleOf(k3osNode({ files: { '/proc/sys/kernel/hostname': 'n3\n' } }))),
    ]
  })
  afterAll(async () => {
    await lab.stop()
  })

  async function run(
    hosts: readonly string[],
    changes: Partial<InventoryOptions> = {},
  ): Promise<{ io: RecordingIo; exit: number; out: string }> {
    const cwd = await mkdtemp(join(tmpdir(), 'inventory-'))
    onTestFinished(async () => {
      await rm(cwd, { recursive: true })
    })
    const io = recordingIo(cwd, { env: { HOME: lab.home } })
    const options: InventoryOptions = {
      host: hosts,
      cluster: false,
      user: 'rancher',
      port: 22,
      parallel: 8,
      timeout: 60_000,
      out: 'inv',
      output: 'table',
      ...changes,
    }
    return { io, exit: await inventory(options, io), out: join(cwd, 'inv') }
  }
  const at = (node: SshNode): string => `127.0.0.1:${node.port}`

  test('three nodes at once: rows, document, bundles', async () => {
    const { io, exit, out } = await run(nodes.map(at))
    expect(
      io
        .stdout()
        .trimEnd()
        .split('\n')
        .map((row) => row.split(/ {2,}/)),
    ).toEqual([
      ['NAME', 'ROLE', 'K3OS', 'K3S', 'ARCH', 'MEMORY', 'DISK', 'DATASTORE', 'STATUS'],
      ...['n1', 'n2', 'n3'].map((name) => [
        name,
        name === 'n2' ? 'agent' : 'server',
        'v0.21.5-k3s2r1',
        'v1.21.5+k3s2',
        'x86_64',
        '2 GiB',
        '58.2 GiB, 39.1 GiB free',
        name === 'n2' ? 'none' : 'sqlite',
        // The clock of the example stands still, which shows in the facts, not here.
        'read',
      ]),
    ])
    expect(exit).toBe(0)
    const document = await readInventory(join(out, 'inventory.yaml'))
    expect(document.nodes.map((node) => [node.name, node.address, node.status])).toEqual([
      ['n1', at(nodes[0]), 'read'],
      ['n2', at(nodes[1]), 'read'],
      ['n3', at(nodes[2]), 'read'],
    ])
    expect(readdirSync(join(out, 'bundles'))).toEqual(['n1.bundle', 'n2.bundle', 'n3.bundle'])
  })

  test('secrets are in the private bundles and nowhere else', async () => {
    const { io, out } = await run(nodes.map(at), { output: 'yaml' })
    const privateKey = readFileSync(
      join(nodes[0].root, 'var/lib/rancher/k3os/ssh/ssh_host_ed25519_key'),
      'utf8',
    )
    const secrets = [...Object.values(canaries), ...privateKey.split('\n').slice(1, -2)]
    const said = [io.stdout(), io.stderr(), readFileSync(join(out, 'inventory.yaml'), 'utf8')]
    for (const secret of secrets) {
      const encoded = Buffer.from(secret).toString('base64').slice(0, -4)
      for (const text of said) {
        expect(text).not.toContain(secret)
        expect(text).not.toContain(encoded)
      }
    }
    expect(statSync(join(out, 'bundles')).mode & 0o777).toBe(0o700)
    for (const name of readdirSync(join(out, 'bundles')))
      expect(statSync(join(out, 'bundles', name)).mode & 0o777).toBe(0o600)
  })

  test('a node that is down is a row, and stops nothing but the success', async () => {
    const down = await lab.startNode('down', bundleOf(k3osNode()))
    await down.stop()
    const { io, exit, out } = await run([`n1=${at(nodes[0])}`, `down=${at(down)}`])
    expect(exit).toBe(3)
    expect(io.stdout()).toMatch(/^n1 .* read$/m)
    expect(io.stdout()).toMatch(/^down .* not read: cannot reach down .* it refuses the connection$/m)
    const document = await readInventory(join(out, 'inventory.yaml'))
    expect(document.nodes).toMatchObject([
      { name: 'down', status: 'error' },
      { name: 'n1', status: 'read' },
    ])
  })

  test('a wrong host key is an error row that names it, with exit 3, and nothing of the node is read', async () => {
    const knownHosts = join(lab.home, 'wrong')
    writeFileSync(knownHosts, `[127.0.0.1]:${nodes[0].port} ${nodes[1].publicKey}\n`)
    const { io, exit, out } = await run([at(nodes[0])], { knownHosts })
    expect(exit).toBe(3)
    expect(io.stdout()).toMatch(/the SSH host key of .* has changed: it offers ssh-ed25519 SHA256:/)
    expect(io.stderr()).toContain('another machine may answer at this address')
    expect(readdirSync(out)).toEqual(['inventory.yaml'])
  })

  test('an unknown host key is refused where nobody can be asked, with the command to type', async () => {
    const { io, exit } = await run([at(nodes[0])], { knownHosts: join(lab.home, 'empty') })
    expect(exit).toBe(3)
    expect(io.stderr()).toContain(`ssh-keyscan -p ${nodes[0].port} 127.0.0.1 >> `)
  })

  test('archives collected before are read by the same eyes', async () => {
    const first = await run(nodes.map(at))
    const second = await run([], { fromDir: join(first.out, 'bundles') })
    const facts = async (out: string) =>
      (await readInventory(join(out, 'inventory.yaml'))).nodes.map((node) =>
        node.status === 'read' ? { ...node.facts, clockOffsetSeconds: null, failures: [] } : node,
      )
    expect(await facts(second.out)).toEqual(await facts(first.out))
  })
})
