import { exitCode, MigrateError } from './errors.ts'

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Milliseconds of `60s`, `5m`, `1h30m`, `500ms`. Anything else, zero included, is a usage error (exit 64). */
export function parseDuration(text: string): number {
  const parts = /^(\d+(ms|s|m|h))+$/.test(text) ? [...text.matchAll(/(\d+)(ms|s|m|h)/g)] : []
  const sum = parts.reduce((total, [, count, unit]) => total + Number(count) * (unitMs[unit ?? ''] ?? 0), 0)
  if (sum === 0 || !Number.isSafeInteger(sum))
    throw new MigrateError(`"${text}" is not a duration`, {
      exitCode: exitCode.usage,
      hint: 'write a number with a unit: 90s, 5m, 1h30m',
    })
  return sum
}

/** `15m`, `1h30m`, `90s`: reads back as the same time; parts of a second are rounded up. */
export function formatDuration(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60]
  const parts = [hours > 0 ? `${hours}h` : '', minutes > 0 ? `${minutes}m` : '', rest > 0 ? `${rest}s` : '']
  return parts.join('') || '0s'
}
