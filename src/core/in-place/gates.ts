import { finding, type Finding, type Rule, type RuleId } from '../findings.ts'
import { versionAtLeast } from '../k3s/version.ts'
import { inPlaceRules } from '../rules/in-place.ts'
import { readInstallerMenu } from './grub-cfg.ts'
import type { NodeLook } from './look.ts'

export interface Surroundings {
  readonly node: string
  /** Content of /boot/grub/grub.cfg. */
  readonly menu: string
  /** What the unpacked root tree takes. */
  readonly tree: { readonly mib: number; readonly files: number; readonly cgroupV1: boolean }
  /** `v1.21.5+k3s2`: the one that runs, and will. */
  readonly k3sVersion: string
  /** Seconds since 1970, here. */
  readonly now: number
}

/** From this share on kubelet removes images (its default `imageGCHighThresholdPercent`). */
const fullPercent = 85
/** Less than this apart and nobody's certificate minds. */
const clockToleranceSeconds = 120
const neededMemoryMib = 512

type Rules = typeof inPlaceRules
type FactsOf<Id extends keyof Rules> = Rules[Id] extends Rule<infer Facts> ? Facts : never

/** Whether a node may be moved in place. Asked when planning, and once more right before the disk is touched. */
export function inPlaceGates(look: NodeLook, around: Surroundings): Finding[] {
  const { node } = around
  const found: Finding[] = []
  const report = <Id extends keyof Rules & RuleId>(
    id: Id,
    facts: Omit<FactsOf<Id>, 'node'>,
    discriminator = '',
  ): void => {
    const rule = inPlaceRules[id] as unknown as Rule<Omit<FactsOf<Id>, 'node'> & { node: string }>
    found.push(
      finding(id, rule, { ...facts, node }, { subject: { kind: 'Node', name: node }, discriminator }),
    )
  }
  // Both an installation on a disk and an overlay one say `local`; only the first has its own boot menu on STATE.
  if (!look.device.startsWith('/dev/') || !['local', 'disk'].includes(look.mode))
    report('PRE-INPLACE-INSTALL', { mode: look.mode })
  const menu = readInstallerMenu(around.menu)
  if (menu.status === 'foreign') report('PRE-INPLACE-MENU', { lines: menu.lines })
  if (look.missingModules.length > 0)
    report('PRE-INPLACE-MODULES', { platform: look.platform, modules: look.missingModules })
  if (look.stateLabels !== 1) report('PRE-INPLACE-LABEL', { count: look.stateLabels })
  reportSpace(look, around, (facts) => {
    report('PRE-INPLACE-SPACE', facts, facts.what)
  })
  if (look.fileSystemErrors > 0 || look.fileSystemState.includes('error'))
    report('PRE-INPLACE-ERRORS', { state: look.fileSystemState })
  if (look.memoryMib < neededMemoryMib * 0.9)
    report('PRE-INPLACE-MEMORY', { mib: look.memoryMib, needed: neededMemoryMib })
  for (const marker of look.markers) report('PRE-INPLACE-MARKER', { marker }, marker)
  if (look.embeddedEtcd) report('PRE-INPLACE-ETCD', {})
  if (look.assembled.length > 0) report('PRE-INPLACE-DISKS', { devices: look.assembled })
  if (!look.network.some((line) => line.startsWith('default ')))
    report('PRE-INPLACE-NETWORK', { lines: look.network })
  // No evidence of a newer one is not enough here: it would never become Ready.
  if (!around.tree.cgroupV1 && versionAtLeast(around.k3sVersion, '1.20.4') !== true)
    report('PRE-INPLACE-CGROUP', { k3s: around.k3sVersion })
  const apart = Math.abs(look.epoch - around.now)
  if (apart > clockToleranceSeconds) report('PRE-INPLACE-CLOCK', { seconds: apart })
  return found
}

/** What the root tree lacks for a machine: the answer of `node.sh drivers`. */
export function treeLacks(
  answer: string,
  node: string,
): { readonly drivers: readonly string[]; readonly firmware: readonly Finding[] } {
  const lines = answer.split('\n').filter((line) => line !== '')
  const files = new Map<string, string[]>()
  for (const line of lines) {
    const [, driver, file] = /^firmware (\S+) (.+)$/.exec(line) ?? []
    if (driver !== undefined && file !== undefined) files.set(driver, [...(files.get(driver) ?? []), file])
  }
  return {
    drivers: lines.filter((line) => !line.startsWith('firmware ')),
    firmware: [...files].map(([driver, named]) =>
      finding(
        'PRE-INPLACE-FIRMWARE',
        inPlaceRules['PRE-INPLACE-FIRMWARE'],
        { node, driver, files: named },
        { subject: { kind: 'Node', name: node }, discriminator: driver },
      ),
    ),
  }
}

/** Free before, so that kubelet removes no image afterwards. */
export function neededFree(total: number, takes: number): number {
  return takes + Math.ceil((total * (100 - fullPercent)) / 100)
}

function reportSpace(
  look: NodeLook,
  { tree }: Surroundings,
  report: (facts: Omit<FactsOf<'PRE-INPLACE-SPACE'>, 'node'>) => void,
): void {
  const amounts = [
    { what: 'MiB', total: look.totalMib, free: look.freeMib, tree: tree.mib },
    { what: 'inodes', total: look.totalInodes, free: look.freeInodes, tree: tree.files },
  ] as const
  for (const { what, total, free, tree: takes } of amounts) {
    const needed = neededFree(total, takes)
    if (free < needed) report({ what, free, needed })
  }
}
