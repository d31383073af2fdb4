import type { Finding } from '../../src/core/findings.ts'
import { isBound } from '../../src/core/in-place/bind-mounts.ts'
import { entriesOf } from '../../src/core/path.ts'
import { translateFinding } from '../../src/core/rules/translate.ts'
import type { Translation, TranslationSource, Translator } from '../../src/core/translation.ts'
import { systemFindings } from '../linux/findings.ts'
import { rootFile, traceInto, withoutCollisions, type RootFile } from '../linux/root-file.ts'
import { systemdNode } from '../linux/systemd-node.ts'
import { tmpfilesPath } from '../linux/systemd.ts'
import { networkParts } from './beside-network.ts'
import { accessParts } from './beside-user.ts'
import { translator } from './index.ts'
import { beside as system } from './release.ts'
import { enabled, enabledOfTree, rootTar, type RootLink } from './root-tar.ts'

const file = 'root.tar'

/**
 * A root tree that lies beside k3OS on the same file system and gets k3OS's data by bind mounts: no cloud-init, no reboot, and
 * nothing that needs a network before it is up.
 */
export const besideTranslator: Translator = {
  id: 'debian',
  title: system.title,
  requires: translator.requires,
  // It lies in k3OS's data, where the new system finds it.
  untrueOf: ['TRN-NODE-PASSWORD-UNKNOWN'],
  translate(source, tools): Translation {
    const { host, name } = source
    const access = accessParts(host, tools)
    const network = networkParts(host.network)
    const data = linksIntoData(source)
    const node = systemdNode(source, system, tools, [...access.files, ...network.files])
    const { placed, bound } = byPlace(node.files.map(forRootAlone), data)
    const links = [
      ...data,
      ...network.links,
      enabledOfTree('sysinit.target', 'systemd-timesyncd.service'),
      enabledOfTree('', 'systemd-timesyncd.service', 'dbus-org.freedesktop.timesync1.service'),
      enabledOfTree('multi-user.target', 'ssh.service'),
      ...enabled([...node.units, ...access.units], placed),
    ]
    const { kept, findings: collisions } = withoutCollisions(
      name,
      [...placed, ...ownerLines(placed, host.user.name)],
      links.map(({ path }) => rootFile(path, '')),
    )
    return {
      files: [{ path: file, content: rootTar(kept, links, host.user), mode: 0o600 }],
      delivery: { kind: 'tree', file },
      findings: [
        ...node.findings.filter(({ rule }) => rule !== 'TRN-FILE-ONCE'),
        ...onceFindings(source, placed),
        ...collisions,
        ...inPlace(bound, name),
        ...ownFindings(source),
      ],
      trace: traceInto(file, kept),
    }
  },
}

/** On k3OS before v0.7.1 it lay in memory. */
function isPasswordInMemory({ facts }: TranslationSource): boolean {
  return /^v?0\.(?:[0-6]\.|7\.0)/.test(facts?.os.version ?? '')
}

/** Folders that are links on k3OS as well (rancher/k3os overlay/libexec/k3os/mode-local). */
function linksIntoData(source: TranslationSource): RootLink[] {
  const kubernetes = {
    path: '/usr/libexec/kubernetes',
    target: '/var/lib/rancher/k3s/agent/libexec/kubernetes',
  }
  return isPasswordInMemory(source)
    ? [kubernetes]
    : [kubernetes, { path: '/etc/rancher/node', target: '/var/lib/rancher/k3os/node' }]
}

/** `bound`: what the data of k3OS already has at that place, and would hide. */
function byPlace(
  files: readonly RootFile[],
  data: readonly RootLink[],
): { readonly placed: readonly RootFile[]; readonly bound: readonly RootFile[] } {
  const isThere = ({ path }: RootFile): boolean =>
    isBound(path) || data.some((link) => path.startsWith(`${link.path}/`))
  return {
    placed: [
      ...files.filter((one) => !isThere(one)),
      // k3s cannot make the folder that a link leads to.
      rootFile('/etc/tmpfiles.d/k3os-data.conf', data.map(({ target }) => `d ${target} - - - -\n`).join('')),
    ],
    bound: files.filter(isThere),
  }
}

/** PAM and systemd read the variables as root, and those of a proxy or datastore may hold a password. */
function forRootAlone(one: RootFile): RootFile {
  return one.path === '/etc/environment' ? { ...one, mode: 0o600 } : one
}

/** Owners that only the new system knows get their files once it runs. */
function ownerLines(files: readonly RootFile[], user: string): RootFile[] {
  const isNumber = (name: string): boolean => /^\d+$/.test(name) || name === 'root' || name === user
  const named = files.filter(({ owner }) => !owner.split(':').every(isNumber))
  if (named.length === 0) return []
  const lines = named.map(({ path, owner }) => {
    const [owning = 'root', group = 'root'] = owner.split(':')
    return `z ${tmpfilesPath(path)} - ${owning} ${group} -\n`
  })
  return [rootFile('/etc/tmpfiles.d/k3os-owners.conf', lines.join(''))]
}

/** Without those that are k3OS's own. */
function onceFindings({ host, name }: TranslationSource, placed: readonly RootFile[]): Finding[] {
  const paths = new Set(placed.map(({ path }) => path))
  const count = host.files.filter(({ path, purpose }) => purpose !== 'environment' && paths.has(path)).length
  return count === 0
    ? []
    : [translateFinding('TRN-FILE-ONCE', { count, target: system.title }, { node: name })]
}

function inPlace(bound: readonly RootFile[], node: string): Finding[] {
  return bound.flatMap(({ path: place, from }) =>
    entriesOf(from).map((path) => translateFinding('TRN-FILE-IN-PLACE', { file: place }, { node, path })),
  )
}

function ownFindings(source: TranslationSource): Finding[] {
  const { host, name } = source
  const common = systemFindings(source, system, {
    wifi: null,
    storage: 'k3os-migrate image build --target debian --with iscsi nfs',
  })
  return [
    ...common.filter(({ rule }) => rule !== 'TRN-CGROUP-V1'),
    ...(host.k3s.needsCgroupV1
      ? [translateFinding('TRN-CGROUP-V1-TREE', { version: host.k3s.version ?? '' }, { node: name })]
      : []),
    ...(host.k3s.role !== 'none' && host.k3s.nodePassword === null && isPasswordInMemory(source)
      ? [translateFinding('TRN-NODE-PASSWORD-UNKNOWN', undefined, { node: name })]
      : []),
    ...(host.network.wifi === null
      ? []
      : [translateFinding('TRN-IMAGE-NO-WIFI', { target: system.title }, { node: name })]),
  ]
}
