import type { ConfigPath } from '../path.ts'
import { isSecretPath, replaceSecrets, secretLeaves } from '../redact.ts'
import type { K3osConfig } from './config.ts'
import type { Effect } from './effects.ts'
import { toBase64 } from '../base64.ts'
import { textOf } from './planned-file.ts'

/** A file to print: its content as text, or as base64 when it is none; the mode as octal digits. */
export interface PrintedFile {
  readonly kind: 'file'
  readonly path: string
  readonly mode: string
  readonly owner: string
  readonly content: string
  readonly from: readonly ConfigPath[]
}

export type PrintedEffect = Exclude<Effect, { kind: 'file' }> | PrintedFile

/** Effects as plain data. With a `mask`, secrets of the values an effect comes from are replaced wherever they stand in it. */
export function printEffects(
  effects: readonly Effect[],
  config: K3osConfig,
  mask: ((secret: string) => string) | null,
): PrintedEffect[] {
  const secrets = Map.groupBy(mask === null ? [] : secretLeaves(config), ({ path }) => path)
  return effects.map((effect) => {
    const printed = effect.kind === 'file' ? printFile(effect, mask) : effect
    const own = effect.from.flatMap((path) => (secrets.get(path) ?? []).map(({ secret }) => secret))
    if (mask === null || own.length === 0) return printed
    return { ...replaceIn(printed, own, mask), kind: printed.kind, from: printed.from } as PrintedEffect
  })
}

function printFile(
  effect: Extract<Effect, { kind: 'file' }>,
  mask: ((secret: string) => string) | null,
): PrintedFile {
  const { kind, path, mode, owner, from } = effect
  const content = textOf(effect) ?? toBase64(effect.content)
  // The configuration may hold it encoded, and then the secret there is another text.
  const hidden = mask !== null && content !== '' && from.some(isSecretPath)
  const octal = `0${mode.toString(8).padStart(3, '0')}`
  return { kind, path, mode: octal, owner, content: hidden ? mask(content) : content, from }
}

function replaceIn<Data>(data: Data, secrets: readonly string[], mask: (secret: string) => string): Data {
  const walk = (value: unknown): unknown => {
    if (typeof value === 'string') return replaceSecrets(value, secrets, mask)
    if (Array.isArray(value)) return value.map(walk)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item)]))
  }
  return walk(data) as Data
}
