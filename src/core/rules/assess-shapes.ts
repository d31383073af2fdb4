import { word } from '../assess/command-text.ts'
import type { Remediation, Rule } from '../findings.ts'

/** What the catalogues of this folder are written with. */

export interface OnNode {
  readonly node: string
  /** Where `ssh` finds it. */
  readonly address: string
}

export function hint(text: string): Remediation {
  return { type: 'hint', text }
}

export function command(text: string): Remediation {
  return { type: 'command', text }
}

/** `ssh` as k3OS allows it: user `rancher`, sudo without a password. */
export function onNode(address: string, remote: string): string {
  return `ssh ${word(`rancher@${address}`)} ${word(remote)}`
}

/** Gives a catalogue entry the type of its facts. */
export function rule<Facts>(definition: Rule<Facts>): Rule<Facts> {
  return definition
}

/** The first names and how many more there are: a sentence with a thousand names is read by nobody. */
export function some(names: readonly string[], most = 4): string {
  return names.length > most
    ? `${names.slice(0, most - 1).join(', ')} and ${names.length - most + 1} more`
    : names.join(', ')
}
