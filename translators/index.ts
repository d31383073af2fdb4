import type { Translator } from '../src/core/translation.ts'

/** Every target by its id; loaded when used. */
export const translators: Readonly<Record<string, () => Promise<Translator>>> = {
  debian: async () => (await import('./debian/index.ts')).translator,
  ubuntu: async () => (await import('./ubuntu/index.ts')).translator,
  alpine: async () => (await import('./alpine/index.ts')).translator,
  microos: async () => (await import('./microos/index.ts')).translator,
  flatcar: async () => (await import('./flatcar/index.ts')).translator,
  kairos: async () => (await import('./kairos/index.ts')).translator,
  elemental: async () => (await import('./elemental/index.ts')).translator,
  'elemental-rancher': async () => (await import('./elemental-rancher/index.ts')).translator,
  talos: async () => (await import('./talos/index.ts')).translator,
  'k3os-maintained': async () => (await import('./k3os-maintained/index.ts')).translator,
  'talos-1.13': async () => (await import('./talos/index.ts')).translator113,
}

/** Those that can also lie beside k3OS: the node's files for their root tree. */
export const besideTranslators: Readonly<Record<string, () => Promise<Translator>>> = {
  debian: async () => (await import('./debian/beside.ts')).besideTranslator,
}

/** Systems people ask for that cannot run k3s; what they get is the reason, for every value. */
export const refusals: Readonly<
  Record<string, { readonly reason: string; readonly load: () => Promise<Translator> }>
> = {
  bottlerocket: {
    reason: 'Bottlerocket runs its own Kubernetes and cannot run k3s',
    load: async () => (await import('./bottlerocket/index.ts')).translator,
  },
}
