import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { ConfigSources, SourceText, UnreadableSource } from '../../src/core/k3os/config.ts'

/** Case folders below a directory, sorted by name. */
export function caseNames(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted()
}

/** The sources of a golden case; files keep their names inside the case folder. */
export function caseSources(dir: string): ConfigSources {
  const read = (file: string): SourceText | UnreadableSource | undefined => {
    const path = join(dir, file)
    if (!existsSync(path)) return undefined
    if (statSync(path).isDirectory()) return { file, unreadable: `${file} is a directory` }
    return { file, bytes: readFileSync(path) }
  }
  const files = {
    system: read('system.yaml'),
    cmdline: read('cmdline'),
    local: read('local.yaml'),
    localHostname: read('cloud/local_hostname'),
    authorizedKeys: read('cloud/authorized_keys'),
    userdata: read('userdata'),
  }
  const dropIns = existsSync(join(dir, 'config.d')) ? readdirSync(join(dir, 'config.d')) : []
  const configD = dropIns.map((name) => read(`config.d/${name}`)).filter((source) => source !== undefined)
  const present = Object.entries(files).filter(([, source]) => source !== undefined)
  return { ...(Object.fromEntries(present) as Omit<ConfigSources, 'configD'>), configD }
}
