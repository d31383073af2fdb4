import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { until, type LabProcesses } from './lab-processes.ts'
import type { SshNode } from './sshd.ts'

export const newSystem = 'Debian GNU/Linux 13 (trixie)'

/** What sshd and sudo of the lab need; the rest of `/etc` is k3OS's. */
const labFiles = ['passwd', 'group', 'pam.d', 'sudoers']

const seedSchema = z.looseObject({
  users: z.array(z.looseObject({ name: z.string(), ssh_authorized_keys: z.array(z.string()).default([]) })),
  ssh_keys: z.record(z.string(), z.string()).default({}),
  write_files: z.array(
    z.looseObject({
      path: z.string(),
      permissions: z.string(),
      content: z.string(),
      encoding: z.literal('b64').optional(),
    }),
  ),
})

/**
 * Puts Debian where k3OS was, as cloud-init would from this seed, and boots it: afterwards sshd answers at the same place
 * with whatever host key the seed carries. With `keepsData`, `/var/lib/rancher` is not touched. Gives the new boot ID.
 */
export async function installNewSystem(
  node: SshNode,
  seed: string,
  keepsData: boolean,
  processes: LabProcesses,
): Promise<string> {
  const at = (path: string): string => join(node.root, path)
  const document = seedSchema.parse(parse(readFileSync(join(seed, 'user-data'), 'utf8')))
  await node.stop()

  for (const path of ['k3os', 'boot', 'home/rancher', 'run/k3os', 'run/config', 'var/lib/connman'])
    rmSync(at(path), { recursive: true, force: true })
  if (!keepsData) rmSync(at('var/lib/rancher'), { recursive: true, force: true })
  for (const name of readdirSync(at('etc')))
    if (!labFiles.includes(name)) rmSync(at(`etc/${name}`), { recursive: true, force: true })

  const bootId = randomUUID()
  const put = (path: string, content: string | Uint8Array, mode: number): void => {
    mkdirSync(dirname(at(path)), { recursive: true, mode: 0o755 })
    writeFileSync(at(path), content, { mode })
  }
  put('/etc/os-release', `ID=debian\nVERSION_ID="13"\nPRETTY_NAME="${newSystem}"\n`, 0o644)
  put('/proc/sys/kernel/random/boot_id', `${bootId}\n`, 0o644)
  put('/etc/machine-id', `${bootId.replaceAll('-', '')}\n`, 0o644)
  put('/etc/ssh/ssh_host_ed25519_key', document.ssh_keys['ed25519_private'] ?? '', 0o600)
  for (const { path, permissions, content, encoding } of document.write_files)
    put(path, encoding === 'b64' ? Buffer.from(content, 'base64') : content, Number.parseInt(permissions, 8))
  for (const user of document.users) {
    const keys = `/home/${user.name}/.ssh/authorized_keys`
    put(keys, `${user.ssh_authorized_keys.join('\n')}\n`, 0o600)
    execFileSync('chown', ['-R', '1000:1000', at(`/home/${user.name}`)])
  }
  chownSync(at('/etc'), 0, 0)

  const listen = ['-o', `ListenAddress=${node.host}`, '-p', String(node.port)]
  processes.start(`${node.name}-sshd`, 'chroot', [
    node.root,
    '/usr/sbin/sshd',
    '-D',
    '-e',
    '-f',
    '/lab-sshd_config',
    ...listen,
  ])
  await until(`the new system of ${node.name} listens`, AbortSignal.timeout(20_000), async () => {
    processes.check()
    return answers(node.host, node.port)
  })
  return bootId
}

/** Content of a file on the machine, undefined when there is none. */
export function fileOn(node: SshNode, path: string): string | undefined {
  const file = join(node.root, path)
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

async function answers(host: string, port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(port, host)
  socket.on('connect', () => resolve(true))
  socket.on('error', () => resolve(false))
  const result = await promise
  socket.destroy()
  return result
}
