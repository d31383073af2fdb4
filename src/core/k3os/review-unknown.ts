import { childPath } from '../path.ts'
import type { UnknownKey } from './account.ts'
import { fieldOf, namesOf, usualSpelling } from './names.ts'
import type { ConfigFindings } from './config-findings.ts'
import { rootShape } from './shape.ts'
import type { Entry } from './value.ts'

/** `k3os.*` arguments that k3OS's shell scripts read; they are no configuration. */
const scriptArguments = new Set(['k3os.mode', 'k3os.fallback_mode', 'k3os.debug'])

/** Top-level keys of cloud-init that people bring along. */
const cloudInitKeys = new Set([
  'apk_repos',
  'apt',
  'bootcmd',
  'ca_certs',
  'chpasswd',
  'disk_setup',
  'disable_root',
  'final_message',
  'fqdn',
  'fs_setup',
  'groups',
  'growpart',
  'locale',
  'manage_etc_hosts',
  'mounts',
  'network',
  'ntp',
  'package_update',
  'package_upgrade',
  'packages',
  'phone_home',
  'power_state',
  'preserve_hostname',
  'resize_rootfs',
  'ssh_pwauth',
  'swap',
  'timezone',
  'user',
  'users',
])

export function reviewUnknown(unknown: UnknownKey, findings: ConfigFindings): void {
  if (unknown.source.kind === 'cmdline') reviewArgument(unknown, findings)
  else {
    const { key, path, source, entry, belowFolded } = unknown
    findings.add(
      'CFG-UNKNOWN-KEY',
      {
        key: display(path, key),
        meant: unknown.meant === null ? null : usualSpelling(unknown.meant),
        belowFolded,
        cloudInit: path === childPath('', key) && cloudInitKeys.has(key),
      },
      // The value with it: that is what gets lost.
      source.place(entry.keyStart, Math.max(entry.keyEnd, entry.value.end)),
      path,
      { severity: unknown.meant === null ? 'low' : 'medium' },
    )
  }
}

/** Most of the command line is none of k3OS's business. What starts like a setting is. */
function reviewArgument(unknown: UnknownKey, findings: ConfigFindings): void {
  const { key, path, source, entry, meant, belowFolded } = unknown
  const bracket = key.indexOf('[')
  const names = namesOf(rootShape)
  const stem = bracket < 0 ? null : key.slice(0, bracket)
  const inside = path !== childPath('', key)
  const knownStem = stem !== null && (names.aliases.has(stem) || fieldOf(stem, names) !== undefined)
  for (const { start, end } of argumentsOf(entry)) {
    const written = source.text.slice(start, end)
    const argument = written.includes('=') ? written.slice(0, written.indexOf('=')) : written
    if (scriptArguments.has(argument.replaceAll('"', ''))) continue
    const place = source.place(start, end)
    if (inside ? stem !== null : knownStem)
      findings.add('CFG-BRACKET-ARGUMENT', { key: argument }, place, path)
    else if (inside)
      findings.add(
        'CFG-UNKNOWN-KEY',
        { key: argument, meant: meant === null ? null : usualSpelling(meant), belowFolded, cloudInit: false },
        place,
        path,
        { severity: meant === null ? 'low' : 'medium' },
      )
  }
}

/** The arguments an entry was put together from: one, or those that name parts of a map. */
function argumentsOf(entry: Entry): { start: number; end: number }[] {
  if (entry.value.kind !== 'table') return [{ start: entry.keyStart, end: entry.keyEnd }]
  return Array.from(entry.value.entries.values()).flatMap(argumentsOf)
}

/** The place of a key for people: the settings around it in their usual spelling, the key as it was written. */
function display(path: string, key: string): string {
  if (path === childPath('', key)) return key
  const own = childPath('x', key).slice(1)
  return usualSpelling(path.slice(0, -own.length)) + own
}
