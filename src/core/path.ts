/**
 * The place of one value in a configuration: `k3os.labels.region`, `writeFiles[0].content`,
 * `k3os.sysctls["net.ipv4.ip_forward"]`. A text, so that it can be a key of maps, traces and findings.
 */
export type ConfigPath = string

const plainKey = /^[A-Za-z0-9_-]+$/

export function childPath(parent: ConfigPath, key: string | number): ConfigPath {
  if (typeof key === 'number') return `${parent}[${key}]`
  if (!plainKey.test(key)) return `${parent}[${JSON.stringify(key)}]`
  return parent === '' ? key : `${parent}.${key}`
}

export function configPath(...keys: readonly (string | number)[]): ConfigPath {
  return keys.reduce<ConfigPath>(childPath, '')
}

/**
 * Every leaf of a value with its path, in document order. An empty list or map is a leaf of its own: it was written by
 * somebody and must not vanish either.
 */
export function leaves(value: unknown, at: ConfigPath = ''): [ConfigPath, unknown][] {
  if (Array.isArray(value) && value.length > 0)
    return value.flatMap((item, index) => leaves(item, childPath(at, index)))
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined)
    if (entries.length > 0) return entries.flatMap(([key, item]) => leaves(item, childPath(at, key)))
  }
  return at === '' ? [] : [[at, value]]
}

/** Parts of the configuration that make sense as a whole: a file, a wifi network, the installer's block. */
const whole = /^(?:writeFiles\[\d+\]|k3os\.wifi\[\d+\]|k3os\.install)(?=\.|$)/

/** The entry a value is part of, itself when it stands alone. */
export function entryOf(path: ConfigPath): ConfigPath {
  return whole.exec(path)?.[0] ?? path
}

/** The entries of several values, each once, in order. */
export function entriesOf(paths: readonly ConfigPath[]): ConfigPath[] {
  return [...new Set(paths.map(entryOf))]
}
