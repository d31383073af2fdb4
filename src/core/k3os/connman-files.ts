// The files k3OS writes for connman: rancher/k3os pkg/cc/funcs.go ApplyDNS, ApplyWifi.

export const connmanMainPath = '/etc/connman/main.conf'
export const connmanSettingsPath = '/var/lib/connman/settings'
export const connmanServicesPath = '/var/lib/connman/cloud-config.config'

export function connmanMain(nameservers: readonly string[], timeservers: readonly string[]): string {
  const lines = [
    '[General]',
    'NetworkInterfaceBlacklist=veth',
    'PreferredTechnologies=ethernet,wifi',
    `FallbackNameservers=${nameservers.join(',')}`,
  ]
  if (timeservers.length > 0) lines.push(`FallbackTimeservers=${timeservers.join(',')}`)
  return joined(lines)
}

export function connmanSettings(): string {
  return joined(['[WiFi]', 'Enable=true', 'Tethering=false'])
}

export function connmanServices(
  networks: readonly { readonly name: string; readonly passphrase: string }[],
): string {
  return joined([
    '[global]',
    'Name=cloud-config',
    'Description=Services defined in the cloud-config',
    ...networks.flatMap(({ name, passphrase }, index) => [
      `[service_wifi${index}]`,
      'Type=wifi',
      `Passphrase=${passphrase}`,
      `Name=${name}`,
    ]),
  ])
}

function joined(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}
