import type { Shape } from './shape.ts'

/** How the keys of one object find its fields. */
export interface Names {
  /** Spellings that are copied to a field before types are looked at: rancher/k3os pkg/config/rename.go. */
  readonly aliases: ReadonlyMap<string, string>
  /** Lower-cased field names: encoding/json ignores letter case. */
  readonly folded: ReadonlyMap<string, string>
}

/** rancher/mapper convert.ToYAMLKey: `serverUrl` -> `server_url`, `K3s` -> `k3s`. */
export function snakeCase(name: string): string {
  return name
    .replace(/^[A-Z]+/, (capitals) => capitals.toLowerCase())
    .replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`)
}

function namesFor(shape: Shape): Names {
  const aliases = new Map<string, string>()
  for (const name of shape.fields.keys()) {
    const forms = [name]
    if (name.endsWith('s')) forms.push(name.slice(0, -1))
    if (name.endsWith('es')) forms.push(name.slice(0, -2))
    for (const form of forms)
      for (const alias of [form.toLowerCase(), snakeCase(form)]) if (alias !== name) aliases.set(alias, name)
  }
  // k3OS adds these two to every object; only wifi entries have the field.
  if (shape.fields.has('passphrase')) {
    aliases.set('pass', 'passphrase')
    aliases.set('password', 'passphrase')
  }
  const folded = new Map(Array.from(shape.fields.keys(), (name) => [name.toLowerCase(), name]))
  return { aliases, folded }
}

const known = new WeakMap<Shape, Names>()

export function namesOf(shape: Shape): Names {
  let names = known.get(shape)
  if (names === undefined) {
    names = namesFor(shape)
    known.set(shape, names)
  }
  return names
}

/** The field encoding/json decodes a key into. It also folds the long s and the Kelvin sign. */
export function fieldOf(key: string, names: Names): string | undefined {
  return names.folded.get(key.toLowerCase().replaceAll('\u017f', 's'))
}

const freeKeys = /^(k3os\.(?:labels|sysctls|environment))(.*)$/s

/** A canonical path as people write it: `k3os.dnsNameservers` -> `k3os.dns_nameservers`. Keys of maps stay as they are. */
export function usualSpelling(path: string): string {
  const [, map, key] = freeKeys.exec(path) ?? []
  if (map !== undefined && key !== undefined) return map + key
  return path.replace(/(^|\.)([A-Za-z0-9]+)/g, (_, dot: string, name: string) => dot + snakeCase(name))
}

/** The field somebody probably meant by a key no rule matches: `ssh-authorized-keys`, `dnsNameserver`, `runCmds`. */
export function meantField(key: string, names: Names): string | undefined {
  const bare = key.toLowerCase().replace(/[^a-z0-9]/g, '')
  for (const candidate of [bare, `${bare}s`, `${bare}es`, bare.replace(/s$/, '')]) {
    const field = names.folded.get(candidate)
    if (field !== undefined) return field
  }
  return undefined
}
