import { exitCode, MigrateError } from '../core/errors.ts'
import type { Host, HostAddress } from '../migrate/ports.ts'

const file = '/etc/rancher/k3s/k3s.yaml'

/**
 * The kubeconfig that k3s keeps on a server, for use from here. It names the server as the server sees itself; k3s's
 * certificate holds for its addresses and names too (k3s-io/k3s pkg/daemons/control/deps). It is a key to everything: it stays in
 * memory.
 */
export async function kubeconfigOf(
  host: Pick<Host, 'readFile'>,
  address: HostAddress,
  signal: AbortSignal,
): Promise<{ readonly name: string; readonly content: string }> {
  const content = await host.readFile(address, file, signal)
  if (content === undefined)
    throw new MigrateError(`${address.name} has no ${file}: it is no k3s server, or k3s does not run`, {
      exitCode: exitCode.badInput,
      hint: 'name a server: --kubeconfig-from HOST',
    })
  const name = address.host.includes(':') ? `[${address.host}]` : address.host
  return {
    name: `${file} of ${address.name}`,
    content: content.replaceAll(
      /(\bserver:\s*["']?https:\/\/)(127\.0\.0\.1|localhost|\[::1\])(?=:)/g,
      `$1${name}`,
    ),
  }
}
