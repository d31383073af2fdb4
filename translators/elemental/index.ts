import { translateFinding } from '../../src/core/rules/translate.ts'
import type { TraceEntry, Translation, TranslationSource, Translator } from '../../src/core/translation.ts'
import { yaml } from '../../src/core/yaml-text.ts'
import { sshFiles, sudoersFile } from '../linux/access.ts'
import { seedDelivery } from '../linux/delivery.ts'
import { fallbackIsUsed, systemFindings } from '../linux/findings.ts'
import { systemDisk } from '../linux/machine.ts'
import { keyfiles } from '../linux/network-manager.ts'
import { passwordParts } from '../linux/password.ts'
import { traceInto, traceTo } from '../linux/root-file.ts'
import { elementalFindings, elementalHardware, slMicro } from '../linux/sl-micro.ts'
import { systemdNode } from '../linux/systemd-node.ts'
import { ownerSteps, yipSteps, yipUser } from '../linux/yip.ts'

const image = 'registry.suse.com/suse/sl-micro/6.2/baremetal-iso-image:2.3.0-6.1'
const config = 'oem/99_k3os_migrate.yaml'

/** Elemental without Rancher: SL Micro's image, and one yip file that brings the node's own k3s; it rejoins its cluster. */
export const translator: Translator = {
  id: 'elemental',
  title: slMicro.title,
  requires: { ...elementalHardware, rejoins: true },
  translate(source, tools): Translation {
    const { host, name } = source
    const node = systemdNode(source, slMicro, tools, [
      ...sshFiles(host),
      sudoersFile(host),
      ...keyfiles(host.network, fallbackIsUsed(host) ? host.fallbackNameservers : []),
    ])
    const password = passwordParts(host, tools)
    const files = [...node.files, ...password.files]
    const units = [...node.units, ...password.units]
    const document = {
      name: `k3OS configuration of ${name}`,
      stages: {
        initramfs: [
          ...(host.hostname === null ? [] : [{ name: 'k3OS: host name', hostname: host.hostname.value }]),
          ...yipSteps(files, units, yipUser(host, [])),
          ...ownerSteps(files),
        ],
      },
    }
    const disk = systemDisk(source.facts)
    return {
      files: [
        { path: config, content: yaml(document), mode: 0o600 },
        {
          path: 'INSTALL.md',
          content: tools.render('elemental/install.md.hbs', {
            name,
            image,
            config,
            disk: disk === null ? '/dev/DISK' : `/dev/${disk.name}`,
          }),
          mode: 0o644,
        },
      ],
      delivery: seedDelivery(host, slMicro, { label: 'COS_OEM', place: 'image', files: [config], image }),
      findings: [
        ...node.findings,
        ...systemFindings(source, slMicro, { wifi: null, storage: null }),
        ...elementalFindings(source),
        translateFinding('TRN-ELEMENTAL-UNTRIED', undefined, { node: name }),
      ],
      trace: [...traceInto(config, files), ...traceOfUser(source)],
    }
  },
}

function traceOfUser({ host: { user, hostname } }: TranslationSource): TraceEntry[] {
  const at = `stages.initramfs.users.${user.name}`
  return [
    ...traceTo(config, 'stages.initramfs.hostname', hostname?.from ?? []),
    ...traceTo(config, `${at}.passwd`, user.password?.encrypted === true ? user.password.from : []),
    ...user.authorizedKeys.flatMap((key) => traceTo(config, `${at}.ssh_authorized_keys`, key.from)),
  ]
}
