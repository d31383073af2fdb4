import type { Bundle, BundleFile } from '../bundle.ts'

/** What a bundle says about one thing. `unknown` is not `absent`: nobody could tell. */
export type Lookup<T> =
  | { readonly status: 'found'; readonly value: T }
  | { readonly status: 'absent' }
  | { readonly status: 'unknown'; readonly reason: string }

const absent = { status: 'absent' } as const

/** A regular file, through symbolic links on the way as the node itself would go. */
export function lookupFile(bundle: Bundle, path: string): Lookup<BundleFile> {
  const real = followLinks(bundle, path)
  if (real === undefined) return { status: 'unknown', reason: 'too many levels of symbolic links' }
  const file = bundle.files.get(real)
  if (file !== undefined) return { status: 'found', value: file }
  if (bundle.dirs.has(real)) return { status: 'unknown', reason: 'it is a directory' }
  if (bundle.seen.has(real)) return { status: 'unknown', reason: 'its content was not collected' }
  return lookupMissing(bundle, real)
}

/** Whether anything of that name exists; its content need not have been read. */
export function lookupPresence(bundle: Bundle, path: string): Lookup<true> {
  const real = followLinks(bundle, path) ?? path
  return isListed(bundle, real) ? { status: 'found', value: true } : lookupMissing(bundle, real)
}

export function lookupLink(bundle: Bundle, path: string): Lookup<string> {
  const target = bundle.links.get(path)
  return target === undefined ? lookupMissing(bundle, path) : { status: 'found', value: target }
}

/** Names of the entries of a directory, sorted by code unit. */
export function lookupNames(bundle: Bundle, directory: string): Lookup<string[]> {
  const real = followLinks(bundle, directory) ?? directory
  const prefix = `${real}/`
  for (const [name, reason] of bundle.errors)
    if (name.startsWith(`${prefix}*`) || name === real || real.startsWith(`${name}/`))
      return { status: 'unknown', reason }
  const names = new Set<string>()
  for (const map of [bundle.files, bundle.links, bundle.dirs, bundle.seen, bundle.errors])
    for (const path of map.keys())
      if (path.startsWith(prefix)) names.add(path.slice(prefix.length).split('/', 1)[0] ?? '')
  if (names.size > 0) return { status: 'found', value: [...names].toSorted() }
  const missing = lookupMissing<string[]>(bundle, `${prefix}x`)
  return missing.status === 'absent' && bundle.dirs.has(real) ? { status: 'found', value: [] } : missing
}

/**
 * Paths of files that match a pattern of the collector, sorted; those that could not be read are among them, so that reading
 * them says so. A star is any part of one name.
 */
export function lookupMatches(bundle: Bundle, pattern: string): Lookup<string[]> {
  const found = [bundle.files, bundle.errors]
    .flatMap((map) => [...map.keys()])
    .filter((path) => !path.includes('*') && coveredPart(pattern, path) === path)
  if (found.length > 0) return { status: 'found', value: found.toSorted() }
  return lookupMissing(bundle, pattern.replaceAll('*', 'x'))
}

/** Output of a command that ended well. There is no `absent`: a tool that is not installed proves nothing. */
export function lookupOutput(bundle: Bundle, commandLine: string): Exclude<Lookup<string>, typeof absent> {
  const answer = bundle.commands.get(commandLine)
  if (answer === undefined)
    return { status: 'unknown', reason: bundle.errors.get(commandLine) ?? 'it was not run' }
  if (answer.exit === 0) return { status: 'found', value: answer.text }
  if (answer.exit === 127) return { status: 'unknown', reason: 'not installed on the node' }
  if ([124, 137, 143].includes(answer.exit))
    return { status: 'unknown', reason: 'it did not end within its time' }
  return { status: 'unknown', reason: `exit status ${answer.exit}` }
}

function lookupMissing<T>(bundle: Bundle, path: string): Lookup<T> {
  for (const [name, reason] of bundle.errors)
    if (coveredPart(name, path) !== undefined) return { status: 'unknown', reason }
  for (const name of bundle.absent) {
    const part = coveredPart(name, path)
    // "Nothing else in this directory" says nothing about what lies below a name that is there.
    if (part !== undefined && (name === '/' || !isListed(bundle, part))) return absent
  }
  return { status: 'unknown', reason: 'the bundle does not say' }
}

/** Something of that name was recorded, or something below it. */
function isListed(bundle: Bundle, path: string): boolean {
  const prefix = `${path}/`
  for (const map of [bundle.files, bundle.links, bundle.dirs, bundle.seen]) {
    if (map.has(path)) return true
    for (const name of map.keys()) if (name.startsWith(prefix)) return true
  }
  return false
}

/**
 * The path, or the directory above it, that a recorded name or pattern speaks of; undefined when it speaks of another. A
 * star is any part of one name, not hidden unless the pattern says so.
 */
function coveredPart(recorded: string, path: string): string | undefined {
  if (recorded === '/') return '/'
  if (!recorded.includes('*'))
    return path === recorded || path.startsWith(`${recorded}/`) ? recorded : undefined
  const names = path.split('/')
  const patterns = recorded.split('/')
  const covered = patterns.every((pattern, index) => matches(pattern, names[index]))
  return covered ? names.slice(0, patterns.length).join('/') : undefined
}

function matches(pattern: string, name: string | undefined): boolean {
  if (name === undefined) return false
  if (!pattern.includes('*')) return pattern === name
  if (name.startsWith('.') && !pattern.startsWith('.')) return false
  const source = pattern.split('*').map((part) => part.replaceAll(/[$()+.?[\\\]^{|}]/g, String.raw`\$&`))
  return new RegExp(`^${source.join('.*')}$`, 's').test(name)
}

/** The path with the links that the bundle knows resolved; undefined for a loop. */
function followLinks(bundle: Bundle, path: string): string | undefined {
  let current = path
  for (let turn = 0; turn < 40; turn += 1) {
    const link = linkOn(bundle, current)
    if (link === undefined) return current
    const [at, target] = link
    const base = target.startsWith('/') ? target : `${at.slice(0, at.lastIndexOf('/'))}/${target}`
    current = normalize(base + current.slice(at.length))
  }
  return undefined
}

/** The first link on the way, unless a file was recorded under the whole path: then the collector went that way already. */
function linkOn(bundle: Bundle, path: string): [string, string] | undefined {
  if (bundle.files.has(path)) return undefined
  for (let end = path.indexOf('/', 1); ; end = path.indexOf('/', end + 1)) {
    const prefix = end === -1 ? path : path.slice(0, end)
    const target = bundle.links.get(prefix)
    if (target !== undefined) return [prefix, target]
    if (end === -1) return undefined
  }
}

function normalize(path: string): string {
  const segments: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(segment)
  }
  return `/${segments.join('/')}`
}
