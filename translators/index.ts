import type { Translator } from '../src/core/translation.ts'

/** Every target by its id; loaded when used. */
export const translators: Readonly<Record<string, () => Promise<Translator>>> = {
  debian: async () => (await import('./debian/index.ts')).translator,
  ubuntu: async () => (await import('./ubuntu/index.ts')).translator,
  flatcar: async () => (await import('./flatcar/index.ts')).translator,
}
