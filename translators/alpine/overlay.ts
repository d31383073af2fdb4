import type { Finding } from '../../src/core/findings.ts'
import type { Disk } from '../../src/core/inventory.ts'
import { translateFinding } from '../../src/core/rules/translate.ts'
import { sh } from '../../src/core/shell.ts'
import type { OutputFile, TranslateTools, TranslationSource } from '../../src/core/translation.ts'
import { installerName } from '../linux/access.ts'
import { systemDisk } from '../linux/machine.ts'
import { ownFolder, rootFile, type RootFile } from '../linux/root-file.ts'
import type { NetworkParts } from './network.ts'
import type { Service } from './openrc.ts'
import { gzip, tar, type TarEntry } from '../../src/core/tar.ts'

export interface OverlaySource {
  readonly source: TranslationSource
  readonly network: NetworkParts
  /** Everything on the disk, the network's files included. */
  readonly files: readonly RootFile[]
  readonly services: readonly Service[]
}

const installer = '/etc/local.d/k3os-migrate-install.start'
export const overlayFile = 'k3os.apkovl.tar.gz'
const answerFile = 'answers'

/**
 * What the installation medium reads at its start: the network, and a script that answers setup-alpine, unpacks the node's
 * files and writes it all to the disk. The node's own scripts do not run there.
 */
export function overlay(
  { source, network, files, services }: OverlaySource,
  tools: TranslateTools,
): { readonly files: readonly OutputFile[]; readonly findings: readonly Finding[] } {
  const { host, facts, name } = source
  const { user } = host
  const disk = systemDisk(facts)
  const numbers = { [user.name]: user.uid }
  const answers = rootFile(`${ownFolder}/answers`, answerText(source, network, tools), { mode: 0o600 })
  const outside = files.map((file) => file.path).filter((path) => !path.startsWith('/etc/'))
  const script = tools.render('alpine/install.sh.hbs', {
    answers: answers.path,
    folder: ownFolder,
    installer,
    user: user.name,
    disk: diskTest(disk),
    // Hash, clear text, or none: then nobody gets in by it, and SSH keys still work.
    passwordOption: user.password?.encrypted === false ? '' : ' -e',
    outside: outside.map((path) => sh(path)).join(' '),
    services,
  })
  const entries: TarEntry[] = [
    ...[
      rootFile('/etc/.default_boot_services', ''),
      rootFile('/etc/apk/world', world(source)),
      ...(host.hostname === null ? [] : [rootFile('/etc/hostname', `${host.hostname.value}\n`)]),
      ...network.files,
      answers,
      rootFile(`${ownFolder}/password`, `${user.name}:${user.password?.value ?? '*'}\n`, { mode: 0o600 }),
      rootFile(`${ownFolder}/root.tar`, tar(files.map(entry), numbers), { mode: 0o600 }),
      rootFile(installer, script, { mode: 0o700 }),
    ].map(entry),
    ...network.services.map((service) => link(service, 'boot')),
    link('local', 'default'),
  ]
  return {
    files: [
      { path: overlayFile, content: gzip(tar(entries, numbers)), mode: 0o600 },
      { path: answerFile, content: new TextDecoder().decode(answers.content), mode: 0o600 },
    ],
    findings:
      disk === null
        ? [
            translateFinding(
              'TRN-DISK-UNKNOWN',
              { file: overlayFile, next: `the medium waits for: sh ${installer} /dev/DISK` },
              { node: name },
            ),
          ]
        : [],
  }
}

function entry(file: RootFile): TarEntry {
  return { path: file.path.replace(/^\/+/, ''), mode: file.mode, owner: file.owner, content: file.content }
}

function link(service: string, runlevel: string): TarEntry {
  return {
    path: `etc/runlevels/${runlevel}/${service}`,
    mode: 0o777,
    owner: 'root:root',
    content: new Uint8Array(),
    link: `/etc/init.d/${service}`,
  }
}

/** Packages that the installation medium carries. */
function world({ host }: TranslationSource): string {
  return ['alpine-base', 'openssh', 'doas', ...(host.network.wifi === null ? [] : ['wpa_supplicant'])]
    .map((name) => `${name}\n`)
    .join('')
}

/** How the script knows the disk: by its serial number, else by name and size. */
function diskTest(disk: Disk | null): object {
  return {
    known: disk !== null,
    serial: sh(disk?.serial?.replaceAll(/\s/g, '') ?? ''),
    name: sh(disk?.name ?? ''),
    // The kernel counts in sectors of 512 bytes; a MiB has 2048 of them.
    sizeMib: String(disk?.sizeMib ?? 0),
  }
}

/** Answers for setup-alpine; names: alpinelinux/alpine-conf setup-alpine.in. The disk is the script's business. */
function answerText({ host }: TranslationSource, network: NetworkParts, tools: TranslateTools): string {
  const proxy = host.environment.find(({ name }) => /^https?_proxy$/i.test(name))?.value ?? 'none'
  const domain = network.searchDomains[0]
  return tools.render('alpine/answers.hbs', {
    hostname: sh(installerName(host, 'alpine')),
    dns:
      network.nameservers.length === 0
        ? null
        : sh([...(domain === undefined ? [] : ['-d', domain]), ...network.nameservers].join(' ')),
    proxy: sh(proxy),
    user: sh(`-a -u ${host.user.name}`),
  })
}
