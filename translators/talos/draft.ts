import { Scalar } from 'yaml'
import type { Finding } from '../../src/core/findings.ts'
import { entriesOf, type ConfigPath } from '../../src/core/path.ts'
import { translateFinding, type TranslateRule } from '../../src/core/rules/translate.ts'
import type { TraceEntry } from '../../src/core/translation.ts'
import { yaml } from '../../src/core/yaml-text.ts'
import { places, switches, type Dialect, type Place, type Setting } from './places.ts'

type Mapping = Record<string, unknown>

/** Name of the file that holds everything about one machine: a patch for `talosctl gen config`. */
export const machineFile = 'machine.yaml'

/** The machine's configuration while it is put together, with where each value came from. */
export class Draft {
  readonly dialect: Dialect
  readonly node: string
  readonly trace: TraceEntry[] = []
  readonly findings: Finding[] = []
  readonly #documents = new Map<string, Mapping>()

  constructor(dialect: Dialect, node: string) {
    this.dialect = dialect
    this.node = node
  }

  /** One value, below `key` where the setting is a map. */
  set(setting: Setting, value: unknown, from: readonly ConfigPath[], ...key: readonly string[]): void {
    const place: Place = places[setting][this.dialect]
    this.#put({ kind: place.kind, path: [...place.path, ...key] }, value, from)
  }

  /** More items of a list. */
  add(setting: Setting, values: readonly unknown[], from: readonly ConfigPath[]): void {
    const place: Place = places[setting][this.dialect]
    const before = this.#get(place)
    this.#put(place, [...(Array.isArray(before) ? (before as unknown[]) : []), ...values], from)
  }

  /** A repeated flag of a component becomes a list. */
  addArgument(setting: Setting, name: string, value: string, from: readonly ConfigPath[]): void {
    const place: Place = places[setting][this.dialect]
    const at = { kind: place.kind, path: [...place.path, name] }
    const before = this.#get(at)
    const values =
      before === undefined ? value : [...(Array.isArray(before) ? (before as unknown[]) : [before]), value]
    this.#put(at, values, from)
  }

  turnOff(part: keyof typeof switches, from: readonly ConfigPath[]): void {
    const { place, off } = switches[part][this.dialect]
    this.#put(place, off, from)
  }

  /** At a place of the document without a kind, whatever the dialect. */
  setLegacy(path: readonly string[], value: unknown, from: readonly ConfigPath[]): void {
    this.#put({ kind: null, path }, value, from)
  }

  addLegacy(path: readonly string[], item: unknown, from: readonly ConfigPath[]): void {
    const before = this.#get({ kind: null, path })
    this.#put({ kind: null, path }, [...(Array.isArray(before) ? (before as unknown[]) : []), item], from)
  }

  /** A document of its own; one that has a name may come several times. */
  document(kind: string, name: string | null, fields: Mapping, from: readonly ConfigPath[] = []): void {
    Object.assign(this.#document(kind, name), fields)
    this.#traceTo(name === null ? kind : `${kind} ${name}`, from)
  }

  report<Id extends TranslateRule>(
    id: Id,
    facts: Parameters<typeof translateFinding<Id>>[1],
    from: readonly ConfigPath[],
    discriminator?: string,
  ): void {
    const paths: readonly (ConfigPath | undefined)[] = from.length === 0 ? [undefined] : entriesOf(from)
    for (const path of paths) {
      const apart = [discriminator, path].filter((part) => part !== undefined).join(' ')
      const more = discriminator === undefined ? {} : { discriminator: apart }
      this.findings.push(translateFinding(id, facts, { node: this.node, path, ...more }))
    }
  }

  /** YAML documents, the one without a kind first. Quoted so that readers of YAML 1.1 and 1.2 see the same. */
  render(): string {
    const keys = [...this.#documents.keys()].toSorted((a, b) => Number(a !== '') - Number(b !== ''))
    return keys.map((key) => yaml(this.#documents.get(key))).join('---\n')
  }

  #document(kind: string | null, name: string | null): Mapping {
    const key = kind === null ? '' : `${kind}\n${name ?? ''}`
    const known = this.#documents.get(key)
    if (known !== undefined) return known
    const made: Mapping =
      kind === null ? {} : { apiVersion: 'v1alpha1', kind, ...(name === null ? {} : { name }) }
    this.#documents.set(key, made)
    return made
  }

  #get({ kind, path }: Place): unknown {
    return path.reduce<unknown>(
      (value, key) => (typeof value === 'object' && value !== null ? (value as Mapping)[key] : undefined),
      this.#document(kind, null),
    )
  }

  #put({ kind, path }: Place, value: unknown, from: readonly ConfigPath[]): void {
    const parents = path.slice(0, -1)
    let at = this.#document(kind, null)
    for (const key of parents) {
      const next = Object.hasOwn(at, key) ? (at[key] as Mapping) : {}
      define(at, key, next)
      at = next
    }
    define(at, path.at(-1) ?? '', value)
    this.#traceTo([...(kind === null ? [] : [kind]), ...path].join('.'), from)
  }

  #traceTo(path: string, from: readonly ConfigPath[]): void {
    for (const source of from) this.trace.push({ from: source, to: { file: machineFile, path } })
  }
}

/** `__proto__` is a key like any other here. */
function define(target: Mapping, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
}

/** Written as people read modes: 0644. */
export function octal(mode: number): Scalar<number> {
  const scalar = new Scalar(mode)
  scalar.format = 'OCT'
  return scalar
}
