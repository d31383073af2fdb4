import { exitCode, MigrateError } from './errors.ts'
import { dayMs, modulo, type OffsetAt } from './time-zone.ts'

/** Maintenance windows: when a node may be taken past its point of no return (rolling-migration 10.2). Pure. */

export const weekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const
export type Weekday = (typeof weekdays)[number]

export interface MaintenanceWindow {
  /** Days on which it starts: a window over midnight belongs to the day of its start. */
  readonly days: readonly Weekday[]
  /** Local time of day, `22:00`. An end that is not after the start is one of the next day. */
  readonly start: string
  readonly end: string
  /** IANA name. */
  readonly timeZone: string
}

/** Half open, in ms since 1970. */
export interface Span {
  readonly startMs: number
  readonly endMs: number
}

/** Every window starts at least once a week; what does not fit within this does not fit at all. */
const horizonDays = 9

/** `Mon-Fri 22:00-05:00 Europe/Berlin`, `Sat,Sun 00:00-00:00 UTC`, `daily 01:00-05:00 UTC`. Exit 64 for anything else. */
export function parseWindow(text: string, offsetAt: OffsetAt): MaintenanceWindow {
  const [, names = '', start = '', end = '', timeZone = ''] =
    /^\s*(\S+)\s+(\d\d:\d\d)\s*-\s*(\d\d:\d\d)\s+(\S+)\s*$/.exec(text) ?? []
  const days = daysOf(names)
  if (days === undefined || !isTime(start) || !isTime(end)) {
    throw new MigrateError(`${JSON.stringify(text)} is not a maintenance window`, {
      exitCode: exitCode.usage,
      hint: "days, times and time zone, for example: --window 'Mon-Fri 22:00-05:00 Europe/Berlin'",
    })
  }
  offsetAt(timeZone, 0)
  return { days, start, end, timeZone }
}

export function windowText({ days, start, end, timeZone }: MaintenanceWindow): string {
  return `${days.length === weekdays.length ? 'daily' : days.join(',')} ${start}-${end} ${timeZone}`
}

function daysOf(names: string): Weekday[] | undefined {
  if (names.toLowerCase() === 'daily') return [...weekdays]
  const chosen = new Set<number>()
  for (const part of names.split(',')) {
    const [first = -1, last = first, ...more] = part
      .split('-')
      .map((name) => weekdays.findIndex((day) => day.toLowerCase() === name.toLowerCase()))
    if (first < 0 || last < 0 || more.length > 0) return undefined
    // Fri-Mon goes over the end of the week.
    for (let day = first; ; day = (day + 1) % 7) {
      chosen.add(day)
      if (day === last) break
    }
  }
  return weekdays.filter((_, index) => chosen.has(index))
}

function isTime(text: string): boolean {
  return /^([01]\d|2[0-3]):[0-5]\d$/.test(text)
}

/** The open time that `nowMs` lies in, windows that touch taken as one; null when all are closed. */
export function openAt(
  windows: readonly MaintenanceWindow[],
  nowMs: number,
  offsetAt: OffsetAt,
): Span | null {
  return (
    spans(windows, nowMs, offsetAt).find(({ startMs, endMs }) => startMs <= nowMs && nowMs < endMs) ?? null
  )
}

/** The first moment from now on at which there are `neededMs` before the window closes; null when no window is that long. */
export function nextFit(
  windows: readonly MaintenanceWindow[],
  nowMs: number,
  neededMs: number,
  offsetAt: OffsetAt,
): number | null {
  for (const { startMs, endMs } of spans(windows, nowMs, offsetAt)) {
    const from = Math.max(startMs, nowMs)
    if (from < endMs && from + neededMs <= endMs) return from
  }
  return null
}

/** Open times around now, in order, without overlap. */
function spans(windows: readonly MaintenanceWindow[], nowMs: number, offsetAt: OffsetAt): Span[] {
  const all = windows.flatMap((window) => {
    const today = Math.floor((nowMs + offsetAt(window.timeZone, nowMs)) / dayMs)
    const found: Span[] = []
    for (let day = today - 2; day <= today + horizonDays; day += 1) {
      if (window.days.includes(weekdayOf(day))) found.push(spanOn(day, window, offsetAt))
    }
    return found
  })
  const merged: Span[] = []
  for (const span of all.toSorted((a, b) => a.startMs - b.startMs)) {
    const last = merged.at(-1)
    if (last !== undefined && span.startMs <= last.endMs)
      merged[merged.length - 1] = { startMs: last.startMs, endMs: Math.max(last.endMs, span.endMs) }
    else merged.push(span)
  }
  return merged
}

/** 1970-01-01 was a Thursday. */
function weekdayOf(day: number): Weekday {
  return weekdays[modulo(day + 3, 7)] ?? 'Mon'
}

function spanOn(day: number, window: MaintenanceWindow, offsetAt: OffsetAt): Span {
  const [start, end] = [timeMs(window.start), timeMs(window.end)]
  const endDay = end > start ? day : day + 1
  return {
    startMs: instant(day * dayMs + start, window.timeZone, offsetAt),
    endMs: instant(endDay * dayMs + end, window.timeZone, offsetAt),
  }
}

function timeMs(text: string): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number)
  return (hours * 60 + minutes) * 60_000
}

/**
 * When a local time comes. A time that the clocks skip comes when they jump; of one that they show twice the first counts,
 * so that a window is never open longer than its wall clock says. Adding 24 hours instead is the usual mistake.
 */
function instant(localMs: number, timeZone: string, offsetAt: OffsetAt): number {
  const before = offsetAt(timeZone, localMs - dayMs)
  const after = offsetAt(timeZone, localMs + dayMs)
  const possible = [localMs - Math.max(before, after), localMs - Math.min(before, after)]
  const real = possible.find((ms) => ms + offsetAt(timeZone, ms) === localMs)
  if (real !== undefined) return real
  let [low = 0, high = 0] = possible
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (middle + offsetAt(timeZone, middle) < localMs) low = middle
    else high = middle
  }
  return high
}
