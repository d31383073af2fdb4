import type { HostModel } from '../../src/core/host/model.ts'
import { toBase64 } from '../../src/core/base64.ts'
import { utf8Decode, utf8Encode } from '../../src/core/k3os/bytes.ts'
import { isPlainText, ownFolder, type RootFile } from './root-file.ts'

/** A step of a stage: keys in the order yip documents them, not in the order it runs them. */
export type YipStep = Readonly<Record<string, unknown>>

/** Where our own folder really lies: /etc is made anew at each boot, and the release of k3s must outlive it. */
const persistentFolder = '/usr/local/k3os-migrate'

/**
 * Files and units for yip (rancher/yip and mudler/yip), in the stage where /etc is ready and no service runs yet. Every step
 * runs at every boot, as k3OS itself writes its files.
 */
export function yipSteps(
  files: readonly RootFile[],
  units: readonly string[],
  users: YipStep | null,
): YipStep[] {
  return [
    {
      name: 'k3OS: what must outlive a restart',
      commands: [`mkdir -p ${persistentFolder} && ln -sfn ${persistentFolder} ${ownFolder}`],
    },
    ...(users === null ? [] : [{ name: 'k3OS: user', ...users }]),
    yipFiles('k3OS: files', files),
    ...(units.length === 0 ? [] : [{ name: 'k3OS: services', systemctl: { enable: units } }]),
  ]
}

/** Within one step yip makes folders first, then files. */
export function yipFiles(name: string, files: readonly RootFile[]): YipStep {
  return { name, directories: parents(files), files: files.map(yipFile) }
}

/**
 * Owners with a name, for a stage in which the users are there. A step whose file has an owner that nobody knows would fail,
 * and Elemental fails the whole stage with it; so files are root's first, and who does not exist gets nothing.
 */
export function ownerSteps(files: readonly RootFile[]): YipStep[] {
  const commands = files.flatMap(({ owner, path }) =>
    numbersOf(owner) === null
      ? [`chown -- ${quoted(owner)} ${quoted(path)} || true`.replaceAll('{{', escapedBraces)]
      : [],
  )
  return commands.length === 0 ? [] : [{ name: 'k3OS: owners of files', commands }]
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}

function yipFile({ path, content, mode, owner }: RootFile): object {
  const escaped = withoutTemplates(content)
  const isText = isPlainText(escaped)
  return {
    path,
    // A number: a text fails the whole document, and 0644 is read as 644 by readers of YAML 1.2.
    permissions: mode,
    ...numbersOf(owner),
    ...(isText ? {} : { encoding: 'b64' }),
    content: isText ? utf8Decode(escaped) : toBase64(escaped),
  }
}

/** Null where a name has to be looked up; nothing for root, whom yip takes by itself. */
function numbersOf(text: string): object | null {
  const [owner = '', group = ''] = text.split(':').map((name) => (name === 'root' ? '0' : name))
  if (!/^\d+:\d+$/.test(`${owner}:${group}`)) return null
  return owner === '0' && group === '0' ? {} : { owner: Number(owner), group: Number(group) }
}

/** What yip takes for a Go template, also in what it has decoded: a Helm chart would lose its values. */
function withoutTemplates(content: Uint8Array): Uint8Array {
  const at = (index: number): boolean => content[index] === brace && content[index + 1] === brace
  if (!content.some((_, index) => at(index))) return content
  const escape = utf8Encode(escapedBraces)
  const out: number[] = []
  for (let index = 0; index < content.length; index += 1)
    if (at(index)) {
      out.push(...escape)
      index += 1
    } else out.push(content[index] ?? 0)
  return Uint8Array.from(out)
}

const brace = 0x7b
const escapedBraces = '{{"{{"}}'

/** Folders that are always there; yip would set the mode of others to whatever is written here. */
const present = new Set(
  `/ /boot /etc /etc/ssh /etc/systemd /etc/systemd/system /etc/systemd/network /etc/sudoers.d /etc/sysctl.d
  /etc/modules-load.d /etc/modprobe.d /etc/tmpfiles.d /etc/NetworkManager /etc/NetworkManager/system-connections /etc/rancher
  /home /mnt /opt /root /run /srv /tmp /usr /usr/local /usr/local/bin /usr/local/share /var /var/lib /var/log /var/tmp
  ${ownFolder}`.split(/\s+/),
)

const secret = /^\/etc\/rancher\/(?:k3s|node)$/

/** A missing folder would get the mode of the file in it. */
function parents(files: readonly RootFile[]): object[] {
  const folders = new Set<string>()
  for (const { path } of files)
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1))
      folders.add(path.slice(0, end))
  return [...folders]
    .filter((folder) => !present.has(folder) && !/^\/home\/[^/]+$/.test(folder))
    .toSorted((a, b) => (a < b ? -1 : 1))
    .map((path) => ({ path, permissions: secret.test(path) ? 0o700 : 0o755 }))
}

/** The user of k3OS, as both forks of yip spell it: underscores, a map by name. */
export function yipUser({ user }: HostModel, groups: readonly string[]): YipStep {
  const { password } = user
  return {
    users: {
      [user.name]: {
        uid: String(user.uid),
        shell: '/bin/bash',
        ...(groups.length === 0 ? {} : { groups }),
        ...(password?.encrypted === true ? { passwd: password.value } : {}),
        ...(user.authorizedKeys.length === 0
          ? {}
          : { ssh_authorized_keys: user.authorizedKeys.map(({ value }) => value) }),
      },
    },
  }
}
