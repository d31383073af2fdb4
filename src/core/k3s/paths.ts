/** Files k3s reads, on every system; k3s-io/k3s pkg/cli/cmds and pkg/agent/config. `token` is our own choice. */
export const k3sPaths = {
  config: '/etc/rancher/k3s/config.yaml',
  registries: '/etc/rancher/k3s/registries.yaml',
  token: '/etc/rancher/k3s/token',
  nodePassword: '/etc/rancher/node/password',
  binary: '/usr/local/bin/k3s',
} as const

/** The binary of a k3OS node; the link is followed when it is copied. */
export const k3osBinary = '/k3os/system/k3s/current/k3s'

/** Whether k3s takes this file after that configuration file (k3s-io/k3s pkg/configfilearg/parser.go). */
export function isDropIn(path: string, configFile: string): boolean {
  return path.startsWith(`${configFile}.d/`) && /\.ya?ml$/.test(path)
}
