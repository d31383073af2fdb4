import type { HostCommand, HostModel } from '../../src/core/host/model.ts'
import type { Draft } from './draft.ts'
import { module } from './files.ts'

/** Nothing runs commands on Talos: the few that only load a module or set a kernel value are said in its own words. */
export function commands(host: HostModel, draft: Draft): void {
  for (const one of host.commands) {
    if (modprobe(one, draft) || sysctl(one, draft)) continue
    draft.report('TRN-TALOS-COMMAND', { list: `${one.when}_cmd` }, one.from)
  }
}

function modprobe({ command, from }: HostCommand, draft: Draft): boolean {
  const [, name = '', parameters = ''] =
    /^\s*modprobe\s+(?:-a\s+)?([\w-]+)((?:\s+[\w.]+=[\w.,:-]+)*)\s*$/.exec(command) ?? []
  if (name === '') return false
  module(name, parameters.trim() === '' ? [] : parameters.trim().split(/\s+/), from, draft)
  return true
}

function sysctl({ command, from }: HostCommand, draft: Draft): boolean {
  const [, pairs = ''] =
    /^\s*sysctl\s+(?:-q\s+)?-w\s+((?:[\w./-]+=["']?[\w ./:-]*["']?\s*)+)$/.exec(command) ?? []
  const list = [...pairs.matchAll(/([\w./-]+)=(?:"([^"]*)"|'([^']*)'|(\S*))/g)]
  if (list.length === 0) return false
  for (const [, key = '', double, single, bare] of list)
    draft.set('sysctls', double ?? single ?? bare ?? '', from, key.replaceAll('/', '.'))
  return true
}
