import type { Translator } from '../src/core/translation.ts'

/** Every target by its id; loaded when used. */
export const translators: Readonly<Record<string, () => Promise<Translator>>> = {
  debian: async () => (await import('./debian/index.ts')).translator,
}
