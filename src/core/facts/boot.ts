import type { NodeFacts } from '../inventory.ts'
import type { BootFacts } from '../machine-facts.ts'
import { type Evidence, firstLine } from './evidence.ts'
import { probes } from './probes.ts'

type Menu = NonNullable<BootFacts['menu']>
type Entry = Menu['entries'][number]

const kernels = '/k3os/system/kernel'
const menuFile = '/boot/grub/grub.cfg'

export function readBoot(evidence: Evidence): BootFacts {
  const text = evidence.text(menuFile)
  // A menu that could not be read may have any entry; one that does not exist has none.
  const menu = text === null || text === undefined ? null : readMenu(text)
  return {
    menu,
    previous: text === null ? 'unknown' : previousEntry(evidence, menu?.entries ?? []),
    canKexec: readKexec(evidence),
  }
}

/** The part of GRUB's language that k3OS's installers wrote (rancher/k3os install.sh at each tag) and people add to. */
function readMenu(text: string): Menu {
  const entries: Entry[] = []
  const globals = new Map<string, string>()
  let entry: Entry | undefined
  let variables = globals
  const value = (word: string | undefined): string | null =>
    word === undefined
      ? null
      : unquoted(word).replaceAll(/\$\{?(\w+)\}?/g, (_all, name: string) => variables.get(name) ?? '')
  for (const line of text.split('\n').map((raw) => raw.trim())) {
    const [, quoted, plain] = /^menuentry\s+(?:(["'].*?["'])|(\S+))/.exec(line) ?? []
    const title = quoted ?? plain
    if (title !== undefined) {
      variables = new Map(globals)
      entry = {
        title: unquoted(title),
        loads: null,
        kernel: null,
        image: null,
        initrd: null,
        consoles: [],
      }
      entries.push(entry)
      continue
    }
    if (line === '}') {
      entry = undefined
      variables = globals
    }
    const [, name, setTo] = /^set\s+(\w+)=(.*)$/.exec(line) ?? []
    if (name !== undefined) variables.set(name, value(setTo) ?? '')
    if (entry === undefined) continue
    const [command = '', first, ...rest] = line.split(/\s+/)
    if (command === 'loopback') entry.image = normal(value(rest[0]))
    if (command.startsWith('linux')) {
      entry.kernel = value(first)
      entry.consoles = rest.flatMap((word) => (word.startsWith('console=') ? [word.slice(8)] : []))
    }
    if (command.startsWith('initrd')) entry.initrd = normal(value(first))
    const [, link] =
      /\/kernel\/(current|previous)\//.exec(`${entry.image} ${entry.kernel} ${entry.initrd}`) ?? []
    entry.loads = link === 'current' || link === 'previous' ? link : null
  }
  const timeout = Number(globals.get('timeout'))
  return {
    defaultEntry: globals.get('default') ?? null,
    timeoutSeconds: globals.has('timeout') && Number.isFinite(timeout) ? timeout : null,
    readsEnvironment: /^\s*load_env\b/m.test(text),
    entries,
  }
}

function unquoted(word: string): string {
  return word.replace(/^(["'])(.*)\1$/, '$2')
}

/** k3OS writes `/$sqfile` for a name that begins with a slash itself. */
function normal(path: string | null): string | null {
  return path?.replaceAll(/\/{2,}/g, '/') ?? null
}

/**
 * Installers before v0.11.0 wrote a *Previous* entry for a `vmlinuz` beside the image, where k3OS puts none; upgrades never
 * rewrite the menu (rancher/k3os commit 085820a).
 */
function previousEntry(evidence: Evidence, entries: readonly Entry[]): BootFacts['previous'] {
  const previous = entries.find(({ loads, title }) => loads === 'previous' && !/rescue/i.test(title))
  if (previous === undefined) return 'none'
  const link = evidence.link(`${kernels}/previous`)
  if (link === null) return 'unknown'
  const insideImage = previous.image !== null && previous.kernel?.startsWith('(') === true
  const needed = [insideImage ? previous.image : previous.kernel, previous.initrd]
  if (link === undefined && insideImage) return 'nothing'
  const there = needed.map((path) => (path === null ? false : evidence.exists(path)))
  if (there.includes(false)) return 'broken'
  return there.includes(null) ? 'unknown' : 'boots'
}

function readKexec(evidence: Evidence): boolean | null {
  const offered = evidence.exists('/sys/kernel/kexec_loaded')
  if (offered !== true) return offered
  const disabled = firstLine(evidence.text('/proc/sys/kernel/kexec_load_disabled'))
  return disabled === null ? null : disabled === '0'
}

/** Versions of each component on the disk; the links, and what an upgrade left half done, are none. */
export function readInstalled(evidence: Evidence): NodeFacts['installed'] {
  return Object.fromEntries(
    ['k3os', 'k3s', 'kernel'].map((component) => {
      const names = evidence.names(`/k3os/system/${component}`) ?? []
      const versions = names.filter((name) => !/^(current|previous)$|^\.|\.(tmp|old)$/.test(name))
      return [component, versions]
    }),
  )
}

/**
 * rancher/k3os pkg/cli/config/config.go: a configuration that cannot be merged gives one line on stderr, nothing on
 * stdout, and exit status 0. Before v0.8.0 the program is called `ccapply`.
 */
export function readOwnConfiguration(evidence: Evidence, isK3os: boolean): NodeFacts['ownConfiguration'] {
  const commands = [probes.ownConfiguration, 'ccapply --dump-json']
  const answers = commands.map((line) => evidence.bundle.commands.get(line))
  // Only root may read all sources; for anybody else k3OS would leave some out.
  if (evidence.failures.some(({ what }) => what === 'root')) return 'unknown'
  const answer = answers.find((one) => one !== undefined && one.exit === 0)
  if (answer !== undefined) return answer.text.trim().startsWith('{') ? 'merged' : 'rejected'
  if (isK3os) evidence.fail(probes.ownConfiguration, 'k3OS did not say what it makes of its configuration')
  return 'unknown'
}
