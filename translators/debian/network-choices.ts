import type { NetworkModel } from '../../src/core/host/model.ts'
import { utf8Decode } from '../../src/core/k3os/bytes.ts'
import type { OutputFile } from '../../src/core/translation.ts'
import { interfacesFile, wpaSupplicantFile } from '../linux/ifupdown.ts'
import { networkdFiles } from '../linux/networkd.ts'
import type { RootFile } from '../linux/root-file.ts'

const wpaFile = '/etc/wpa_supplicant/wpa_supplicant.conf'

/** The same network for those who run Debian with ifupdown, as its installer leaves it, or with plain systemd-networkd. */
export function networkChoices(network: NetworkModel): OutputFile[] {
  const wifiLines = network.wifi === null ? [] : [`\twpa-conf ${wpaFile}`]
  return [
    ...[
      interfacesFile(network, { nameservers: true, wifiLines }),
      ...wpaSupplicantFile(network, wpaFile),
    ].map((file) => chosen('ifupdown', file)),
    ...networkdFiles(network).map((file) => chosen('networkd', file)),
  ]
}

function chosen(folder: string, { path, content, mode }: RootFile): OutputFile {
  return {
    path: `${folder}/${path.slice(path.lastIndexOf('/') + 1)}`,
    content: utf8Decode(content),
    mode: mode === 0o600 ? 0o600 : 0o644,
  }
}
