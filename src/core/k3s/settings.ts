import type { K3sSetting } from '../host/model.ts'
import type { ConfigPath } from '../path.ts'

/** Settings in the order they came; a scalar given twice keeps its last value, as flags do. */
export class Settings {
  readonly #entries = new Map<string, K3sSetting>()

  set(key: string, value: string | boolean, from: readonly ConfigPath[]): void {
    this.#entries.set(key, { key, value, from: [...(this.#entries.get(key)?.from ?? []), ...from] })
  }

  append(key: string, values: readonly string[], from: readonly ConfigPath[]): void {
    const before = this.#entries.get(key)
    const earlier = Array.isArray(before?.value) ? (before.value as readonly string[]) : []
    this.#entries.set(key, { key, value: [...earlier, ...values], from: [...(before?.from ?? []), ...from] })
  }

  /** Puts values of a configuration file in front: lists before the given ones, scalars only where none is given. */
  underlay(setting: K3sSetting): void {
    const given = this.#entries.get(setting.key)
    const from = [...setting.from, ...(given?.from ?? [])]
    const value =
      given === undefined
        ? setting.value
        : Array.isArray(setting.value) && Array.isArray(given.value)
          ? [...setting.value, ...given.value]
          : given.value
    this.#entries.set(setting.key, { key: setting.key, value, from })
  }

  has(key: string): boolean {
    return this.#entries.has(key)
  }

  /** Removes one that gets a place of its own. */
  take(key: string): { readonly value: string; readonly from: readonly ConfigPath[] } | null {
    const setting = this.#entries.get(key)
    this.#entries.delete(key)
    return setting === undefined ? null : { value: String(setting.value), from: setting.from }
  }

  list(): K3sSetting[] {
    return [...this.#entries.values()]
  }
}
