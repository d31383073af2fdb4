import { configPath, type ConfigPath } from '../path.ts'
import { compareBytes } from './compare.ts'
import type { K3osConfig } from './config.ts'

export interface InstallationContext {
  readonly phase: 'initrd' | 'boot' | 'runtime' | 'install'
  readonly mode: string
  readonly k3osVersion: string
  readonly hasK3s: boolean
}

/** A call of the k3s installer; the arguments become those of the k3s service. */
export interface K3sInstallation {
  readonly program: string
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly from: readonly ConfigPath[]
}

/** Null when k3OS leaves k3s alone in this phase. rancher/k3os pkg/cc/funcs.go ApplyK3S. */
export function k3sInstallation(config: K3osConfig, context: InstallationContext): K3sInstallation | null {
  if (context.mode === 'install') return null
  // Without a k3s binary only the runtime phase goes on: the installer would download one.
  if (!context.hasK3s && context.phase !== 'runtime') return null
  const { k3sArgs = [], serverUrl = '', token = '', labels = {}, taints = [] } = config.k3os
  const role = serverUrl === '' ? 'server' : 'agent'
  return {
    program: '/usr/libexec/k3os/k3s-install.sh',
    args: [
      ...(k3sArgs.length === 0 ? [role] : k3sArgs),
      ...nodeLabels(labels, context).flatMap((label) => ['--node-label', label]),
      ...taints.flatMap((taint) => ['--kubelet-arg', `register-with-taints=${taint}`]),
    ],
    environment: installerEnvironment(serverUrl, token, context),
    from: [
      ...k3sArgs.map((_, index) => configPath('k3os', 'k3sArgs', index)),
      ...(serverUrl === '' ? [] : ['k3os.serverUrl']),
      ...(token === '' ? [] : ['k3os.token']),
      ...Object.keys(labels).map((name) => configPath('k3os', 'labels', name)),
      ...taints.map((_, index) => configPath('k3os', 'taints', index)),
    ],
  }
}

/** The user's labels and k3OS's own, sorted together; equal names are passed on twice. */
function nodeLabels(labels: Readonly<Record<string, string>>, context: InstallationContext): string[] {
  const own = context.mode === '' ? [] : [`k3os.io/mode=${context.mode}`]
  own.push(`k3os.io/version=${context.k3osVersion}`)
  const users = Object.entries(labels).map(([name, value]) => `${name}=${value}`)
  return [...users, ...own].toSorted(compareBytes)
}

function installerEnvironment(
  serverUrl: string,
  token: string,
  context: InstallationContext,
): Record<string, string> {
  return {
    INSTALL_K3S_NAME: 'service',
    ...(context.hasK3s && {
      INSTALL_K3S_SKIP_DOWNLOAD: 'true',
      INSTALL_K3S_BIN_DIR: '/sbin',
      INSTALL_K3S_BIN_DIR_READ_ONLY: 'true',
    }),
    ...(context.phase === 'boot' && { INSTALL_K3S_SKIP_START: 'true' }),
    ...(serverUrl !== '' && { K3S_URL: serverUrl }),
    // Only tokens of this form are tokens to k3OS; k3s itself takes either variable.
    ...(token.startsWith('K10') ? { K3S_TOKEN: token } : token !== '' && { K3S_CLUSTER_SECRET: token }),
  }
}
