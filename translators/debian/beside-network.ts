import type { NetworkModel } from '../../src/core/host/model.ts'
import { wpaSupplicantFile } from '../linux/ifupdown.ts'
import { wifiLink } from '../linux/netplan.ts'
import { networkdFiles, networkdWifi } from '../linux/networkd.ts'
import { rootFile, type RootFile } from '../linux/root-file.ts'
import { enabledOfTree, type RootLink } from './root-tar.ts'

/** systemd-networkd and systemd-resolved with k3OS's network, and the links that start them. */
export function networkParts(network: NetworkModel): {
  readonly files: readonly RootFile[]
  readonly links: readonly RootLink[]
} {
  const wireless = network.wifi?.name ?? 'wlan0'
  return {
    files: [
      ...networkdFiles(network),
      ...wifiLink(network),
      ...networkdWifi(network),
      ...wpaSupplicantFile(network, `/etc/wpa_supplicant/wpa_supplicant-${wireless}.conf`),
      // Routes and rules of the pod network are not networkd's to remove when it restarts.
      rootFile(
        '/etc/systemd/networkd.conf.d/k3os.conf',
        '[Network]\nManageForeignRoutes=no\nManageForeignRoutingPolicyRules=no\n',
      ),
    ],
    links: [
      // kubelet hands its text to pods, where 127.0.0.53 is the pod itself.
      { path: '/etc/resolv.conf', target: '../run/systemd/resolve/resolv.conf' },
      enabledOfTree('multi-user.target', 'systemd-networkd.service'),
      enabledOfTree('', 'systemd-networkd.service', 'dbus-org.freedesktop.network1.service'),
      enabledOfTree('sockets.target', 'systemd-networkd.socket'),
      enabledOfTree('sysinit.target', 'systemd-network-generator.service'),
      enabledOfTree('network-online.target', 'systemd-networkd-wait-online.service'),
      enabledOfTree('sysinit.target', 'systemd-resolved.service'),
      enabledOfTree('', 'systemd-resolved.service', 'dbus-org.freedesktop.resolve1.service'),
      ...(network.wifi === null
        ? []
        : [
            enabledOfTree(
              'multi-user.target',
              'wpa_supplicant@.service',
              `wpa_supplicant@${wireless}.service`,
            ),
          ]),
    ],
  }
}
