import { exitCode, MigrateError } from './errors.ts'

/** Local time minus UTC in ms, in a zone at a moment: +3 600 000 in Berlin in winter. */
export type OffsetAt = (timeZone: string, epochMs: number) => number

const formats = new Map<string, Intl.DateTimeFormat>()

/** From the zone data of the JavaScript engine. A name it does not know is a usage error (exit 64). */
export const offsetAt: OffsetAt = (timeZone, epochMs) => {
  const parts = Object.fromEntries(
    formatOf(timeZone)
      .formatToParts(epochMs)
      .map(({ type, value }) => [type, Number(value)]),
  )
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
  const localMs = dayNumber(year, month, day) * dayMs + ((hour * 60 + minute) * 60 + second) * 1000
  return localMs - (epochMs - modulo(epochMs, 1000))
}

export const dayMs = 86_400_000

/** Days since 1970-01-01 in the Gregorian calendar; the months of a year counted from March make February the last. */
export function dayNumber(year: number, month: number, day: number): number {
  const y = month > 2 ? year : year - 1
  const m = month > 2 ? month - 3 : month + 9
  const leapDays = Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400)
  return y * 365 + leapDays + Math.floor((153 * m + 2) / 5) + day - 719_469
}

export function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone)
  if (known !== undefined) return known
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    formats.set(timeZone, format)
    return format
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new MigrateError(`${JSON.stringify(timeZone)} is not a time zone`, {
      exitCode: exitCode.usage,
      hint: 'use a name of the IANA list: Europe/Berlin, America/New_York, UTC',
      cause: error,
    })
  }
}

/** `Sat 2026-11-28 01:00 Europe/Berlin`, for people. */
export function localTimeText(timeZone: string, epochMs: number): string {
  const parts = formatOf(timeZone).formatToParts(epochMs)
  const part = (type: string): string =>
    (parts.find((one) => one.type === type)?.value ?? '').padStart(2, '0')
  const days = ['Thu', 'Fri', 'Sat', 'Sun', 'Mon', 'Tue', 'Wed'] as const
  const day = Math.floor((epochMs + offsetAt(timeZone, epochMs)) / dayMs)
  const date = `${part('year')}-${part('month')}-${part('day')}`
  return `${days[modulo(day, 7)]} ${date} ${part('hour')}:${part('minute')} ${timeZone}`
}
