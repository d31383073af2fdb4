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

/**
 * What a case expects: the one result, several of which k3OS picks one at random, or null for a rejected configuration.
 */
export function expectedConfigs(dir: string): unknown[] | null {
  if (existsSync(join(dir, 'expected-error.txt'))) return null
  const one = join(dir, 'expected.json')
  if (existsSync(one)) return [JSON.parse(readFileSync(one, 'utf8')) as unknown]
  return JSON.parse(readFileSync(join(dir, 'expected-oneof.json'), 'utf8')) as unknown[]
}

/** The files below a directory with their contents, by absolute path as on a node; none when it does not exist. */
export function readTree(dir: string): Record<string, string> {
  if (!existsSync(dir)) return {}
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return Object.fromEntries(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name)
      return [path.slice(dir.length), readFileSync(path, 'utf8')]
    }),
  )
}
