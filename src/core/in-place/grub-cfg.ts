import { kernelTrialArgument } from './kernel-arguments.ts'

/**
 * The boot menu of a node that is on its way. k3OS's own menu stays in it word for word and stays the default; ours adds
 * entries and a one-shot that GRUB itself clears before any kernel loads, so that whatever happens next ends in k3OS.
 */

export interface ForeignLine {
  /** From 1; null for something that is missing. */
  readonly line: number | null
  readonly text: string
  readonly reason: string
}

/** A menu of k3OS's installer, cut in two: what stands before the first entry, and the entries. Both verbatim. */
export interface InstallerMenu {
  readonly head: string
  readonly entries: string
  /** Lines of the entry that boots today, between its braces. */
  readonly current: readonly string[]
}

export type MenuReading =
  | { readonly status: 'known'; readonly menu: InstallerMenu }
  | { readonly status: 'foreign'; readonly lines: readonly ForeignLine[] }

/** Lines that installers of k3OS wrote before the entries (rancher/k3os install.sh at each tag). */
const headLines = [
  /^set default=0$/,
  /^set timeout=\d+$/,
  /^set gfxmode=auto$/,
  /^set gfxpayload=keep$/,
  /^insmod (all_video|gfxterm)$/,
]
const kernel = String.raw`/k3os/system/kernel/(current|previous)`
/** And in an entry; `linux` ends in what was chosen at installation. Before v0.11.0 *Previous* named a bare vmlinuz. */
const entryLines = [
  /^search\.fs_label K3OS_STATE root$/,
  new RegExp(`^set sqfile=${kernel}/kernel\\.squashfs$`),
  /^loopback loop0 \/\$sqfile$/,
  /^set root=\(\$root\)$/,
  new RegExp(String.raw`^linux (\(loop0\)/vmlinuz|${kernel}/vmlinuz)( [\w.,:=/@+-]+)*$`),
  new RegExp(`^initrd ${kernel}/initrd$`),
]
const entryStart = /^menuentry "k3OS [\w ()]+" \{$/

export function readInstallerMenu(text: string): MenuReading {
  const foreign: ForeignLine[] = []
  const entries: string[][] = []
  let firstEntry: number | undefined
  let open: string[] | undefined
  let hasDefault = false
  const lines = text.split('\n')
  for (const [index, raw] of lines.entries()) {
    const line = raw.trim()
    const report = (reason: string): void => {
      foreign.push({ line: index + 1, text: line, reason })
    }
    if (line === '' || line.startsWith('#')) continue
    if (line.startsWith('menuentry')) {
      if (open !== undefined) report('an entry inside another')
      if (!entryStart.test(line)) report('no entry of k3OS')
      open = []
      entries.push(open)
      firstEntry ??= index
    } else if (line === '}') {
      if (open === undefined) report('closes nothing')
      open = undefined
    } else if (open === undefined) {
      hasDefault ||= line === 'set default=0'
      if (firstEntry !== undefined) report('stands behind the entries')
      else if (!headLines.some((known) => known.test(line))) report("not in the head of k3OS's menu")
    } else {
      open.push(line)
      if (!entryLines.some((known) => known.test(line))) report('not in an entry of k3OS')
    }
  }
  const missing = (what: string): void => {
    foreign.push({ line: null, text: what, reason: 'missing' })
  }
  const [current = []] = entries
  if (open !== undefined) missing('} of the last entry')
  if (!hasDefault) missing('set default=0')
  if (
    !current.some((line) => line.startsWith('linux ')) ||
    !current.some((line) => line.includes('/current/'))
  )
    missing('a first entry that boots /k3os/system/kernel/current')
  if (foreign.length > 0 || firstEntry === undefined) return { status: 'foreign', lines: foreign }
  const head = lines.slice(0, firstEntry).join('\n')
  const rest = lines.slice(firstEntry).join('\n')
  return { status: 'known', menu: { head, entries: rest.trimEnd(), current } }
}

/** What k3OS's own entry says, `tty1` and `ttyS0,115200`, in its order. */
export function consolesOf({ current }: InstallerMenu): string[] {
  const words = current.find((line) => line.startsWith('linux '))?.split(' ') ?? []
  return words.flatMap((word) => (word.startsWith('console=') ? [word.slice('console='.length)] : []))
}

export interface NewSystem {
  /** Names the folder `/os/ID` on STATE and the entries: letters, digits, `-`. */
  readonly id: string
  /** `Debian 13`. */
  readonly title: string
  /** Of STATE. Two file systems may have one label, not one UUID. */
  readonly stateUuid: string
  /** 128 random bits of this attempt, hexadecimal. */
  readonly nonce: string
  /** Kernel arguments while on trial, and afterwards; see `trialArguments`. */
  readonly trialArguments: readonly string[]
  readonly settledArguments: readonly string[]
}

/** Names of entries, for `next_entry` (probe, trial; kernel by `templates/in-place/kernel.sh`) and `saved_entry` (settled). */
export function entryNames(id: string): {
  readonly probe: string
  readonly trial: string
  readonly settled: string
  readonly kernel: string
} {
  return {
    probe: `k3os-migrate-${id}-probe`,
    trial: `k3os-migrate-${id}-trial`,
    settled: `k3os-migrate-${id}`,
    kernel: `k3os-migrate-${id}-kernel`,
  }
}

/** Below `/os/ID`, by `templates/in-place/kernel.sh`: the kernel that came up, and one that a package brought since. */
const provenFolder = '/boot/k3os-migrate/proven'
const nextFolder = '/boot/k3os-migrate/next'

/** Marks a boot of k3OS itself through the one-shot. The kernel ignores words with a dot that name no module. */
const probeArgument = 'k3os-migrate.probe'
const nonceArgument = 'k3os-migrate.nonce'

/** Written once per node; arming and confirming only write `grubenv`. */
export function migrationMenu(menu: InstallerMenu, system: NewSystem): string {
  const names = entryNames(system.id)
  const probe = menu.current.map((line) =>
    line.startsWith('linux ') ? `${line} ${probeArgument}=${system.nonce}` : line,
  )
  const settledNumber = (menu.entries.match(/^\s*menuentry /gm)?.length ?? 0) + 2
  return `${menu.head.trimEnd()}

# By k3os-migrate. grub.cfg.k3os beside this file is the menu as k3OS's installer wrote it; copying it back undoes this one.
# 0 is k3OS: booted unless told otherwise, and when another entry cannot load.
set fallback=0
insmod loadenv
load_env next_entry saved_entry
if [ "\${saved_entry}" = "${names.settled}" ]; then
  set default="${names.settled}"
fi
${oneShot(`    # Behind a kernel that came by a package: the one before, and only then k3OS.
    if [ "\${once}" = "${names.kernel}" ]; then
      set fallback="${settledNumber} 0"
    fi
`)}
${menu.entries}

${entry('k3OS, probe reboot', names.probe, probe)}
${entry(`${system.title} (on trial)`, names.trial, newSystemLines(system, provenFolder, system.trialArguments))}
${entry(system.title, names.settled, newSystemLines(system, provenFolder, system.settledArguments))}
${entry(
  `${system.title} (its newest kernel, on trial)`,
  names.kernel,
  newSystemLines(system, nextFolder, [...system.trialArguments, kernelTrialArgument]),
)}`
}

/** `next_entry`, once; `taken` stands where it has become the default. */
function oneShot(taken: string): string {
  return `if [ -n "\${next_entry}" ]; then
  set once="\${next_entry}"
  set next_entry=
  save_env next_entry
  # Only what is no longer on the disk can be taken once: a block that cannot be written would boot it for ever.
  load_env next_entry
  if [ -z "\${next_entry}" ]; then
    set default="\${once}"
${taken}  fi
fi
`
}

/**
 * The menu of a node that k3OS is taken off for good, made of the one that `migrationMenu` wrote: the new system with the kernel
 * that came up, a newer one on trial, and behind both the one that Debian's links name. undefined when the text is not such a menu.
 */
export function finalMenu(text: string, id: string): string | undefined {
  const [head, rest = ''] = text.split('\n# By k3os-migrate. ')
  const names = entryNames(id)
  const settled = readEntry(rest, names.settled)
  const kernel = readEntry(rest, names.kernel)
  if (head === undefined || settled === undefined || kernel === undefined) return undefined
  const linked = settled.lines.map((line) => line.replace(`${provenFolder}/`, '/'))
  return `${head.trimEnd()}

# By k3os-migrate: k3OS was removed from this disk.
# 0 is the kernel that came up last; 2 is for the day that its files are damaged.
set fallback="0 2"
insmod loadenv
load_env next_entry
${oneShot('')}
${entry(settled.title, names.settled, settled.lines)}
${entry(kernel.title, names.kernel, kernel.lines)}
${entry(`${settled.title}, with the kernel that was installed last`, `${names.settled}-linked`, linked)}`
}

function readEntry(
  menu: string,
  id: string,
): { readonly title: string; readonly lines: readonly string[] } | undefined {
  const [, title, lines] =
    new RegExp(String.raw`^menuentry "([^"]*)" --id ${id} \{\n([^}]*)\}$`, 'm').exec(menu) ?? []
  if (title === undefined || lines === undefined) return undefined
  return {
    title,
    lines: lines
      .trim()
      .split('\n')
      .map((line) => line.trim()),
  }
}

function newSystemLines(
  { id, stateUuid, nonce }: NewSystem,
  folder: string,
  more: readonly string[],
): string[] {
  const words = [`root=UUID=${stateUuid}`, 'rw', `beside=/os/${id}`, `${nonceArgument}=${nonce}`, ...more]
  return [
    `search.fs_uuid ${stateUuid} root`,
    `linux /os/${id}${folder}/vmlinuz ${words.join(' ')}`,
    `initrd /os/${id}${folder}/initrd.img`,
  ]
}

function entry(title: string, id: string, lines: readonly string[]): string {
  return `menuentry "${title}" --id ${id} {\n${lines.map((line) => `  ${line}\n`).join('')}}\n`
}
