import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dayMs, offsetAt } from '../../../src/core/time-zone.ts'
import {
  nextFit,
  openAt,
  parseWindow,
  weekdays,
  windowText,
  type MaintenanceWindow,
} from '../../../src/core/windows.ts'

const at = (text: string): number => Date.parse(text)
const hourMs = 3_600_000
const window = (text: string): MaintenanceWindow => parseWindow(text, offsetAt)

/** Each is the first moment of the new offset. */
const jumps = [
  { timeZone: 'Europe/Berlin', at: at('2027-03-28T01:00:00Z'), before: 1, after: 2 },
  { timeZone: 'Europe/Berlin', at: at('2026-10-25T01:00:00Z'), before: 2, after: 1 },
  { timeZone: 'America/New_York', at: at('2027-03-14T07:00:00Z'), before: -5, after: -4 },
  { timeZone: 'America/New_York', at: at('2026-11-01T06:00:00Z'), before: -4, after: -5 },
  { timeZone: 'Australia/Lord_Howe', at: at('2027-04-03T15:00:00Z'), before: 11, after: 10.5 },
]

describe('the offset of a zone', () => {
  it.each(jumps)('of $timeZone changes at its jump', ({ timeZone, at: jump, before, after }) => {
    expect(offsetAt(timeZone, jump - 1)).toBe(before * hourMs)
    expect(offsetAt(timeZone, jump)).toBe(after * hourMs)
  })

  it('refuses a zone nobody knows', () => {
    expect(() => offsetAt('Mars/Olympus', 0)).toThrow('"Mars/Olympus" is not a time zone')
  })
})

describe('a window in words', () => {
  it.each([
    ['Mon-Fri 22:00-05:00 Europe/Berlin', 'Mon,Tue,Wed,Thu,Fri 22:00-05:00 Europe/Berlin'],
    ['fri-mon 22:00-05:00 UTC', 'Mon,Fri,Sat,Sun 22:00-05:00 UTC'],
    ['Sat,Sun 00:00-00:00 UTC', 'Sat,Sun 00:00-00:00 UTC'],
    ['daily 01:00-05:00 America/New_York', 'daily 01:00-05:00 America/New_York'],
  ])('%s is %s', (text, same) => {
    expect(windowText(window(text))).toBe(same)
  })

  it.each([
    '',
    'Mon 22:00-05:00',
    'Mon 24:00-05:00 UTC',
    'Mon 9:00-10:00 UTC',
    'Mon-Tue-Wed 01:00-02:00 UTC',
    'Nul 01:00-02:00 UTC',
  ])('"%s" is refused', (text) => {
    expect(() => window(text)).toThrow('is not a maintenance window')
  })
})

describe('an open time', () => {
  it('over midnight belongs to the day it starts on', () => {
    const windows = [window('Fri 22:00-04:00 UTC')]
    expect(openAt(windows, at('2026-11-28T03:59:59Z'), offsetAt)).toEqual({
      startMs: at('2026-11-27T22:00:00Z'),
      endMs: at('2026-11-28T04:00:00Z'),
    })
    expect(openAt(windows, at('2026-11-27T03:00:00Z'), offsetAt)).toBeNull()
    expect(openAt(windows, at('2026-11-28T04:00:00Z'), offsetAt)).toBeNull()
  })

  it('of windows that touch is one', () => {
    const windows = [window('Fri 22:00-00:00 UTC'), window('Sat 00:00-06:00 UTC')]
    expect(openAt(windows, at('2026-11-27T23:00:00Z'), offsetAt)?.endMs).toBe(at('2026-11-28T06:00:00Z'))
  })

  it.each([
    // An hour is missing: seven hours of the wall clock are six.
    ['spring', 'Sat 22:00-05:00 Europe/Berlin', '2027-03-27T21:00:00Z', '2027-03-28T03:00:00Z'],
    // An hour comes twice: seven hours of the wall clock are eight.
    ['autumn', 'Sat 22:00-05:00 Europe/Berlin', '2026-10-24T20:00:00Z', '2026-10-25T04:00:00Z'],
    ['spring', 'Sat 22:00-05:00 America/New_York', '2027-03-14T03:00:00Z', '2027-03-14T09:00:00Z'],
    ['autumn', 'Sat 22:00-05:00 America/New_York', '2026-11-01T02:00:00Z', '2026-11-01T10:00:00Z'],
    // It would start in the hour that is missing: it starts when the clocks jump.
    ['a skipped start', 'Sun 02:30-05:00 Europe/Berlin', '2027-03-28T01:00:00Z', '2027-03-28T03:00:00Z'],
    // It would end there: it ends when they jump.
    ['a skipped end', 'Sat 23:00-02:30 Europe/Berlin', '2027-03-27T22:00:00Z', '2027-03-28T01:00:00Z'],
    // It ends in the hour that comes twice: the first time.
    ['a repeated end', 'Sat 23:00-02:30 Europe/Berlin', '2026-10-24T21:00:00Z', '2026-10-25T00:30:00Z'],
  ])('in %s: %s', (_, text, startText, endText) => {
    const span = { startMs: at(startText), endMs: at(endText) }
    expect(openAt([window(text)], span.startMs, offsetAt)).toEqual(span)
    expect(openAt([window(text)], span.endMs - 1, offsetAt)).toEqual(span)
    expect(openAt([window(text)], span.startMs - 1, offsetAt)).toBeNull()
    expect(openAt([window(text)], span.endMs, offsetAt)).toBeNull()
  })

  it('is what the wall clock says, at any minute near a jump', () => {
    fc.assert(
      fc.property(aWindow, fc.constantFrom(...jumps), minutesAround, (shape, jump, minutes) => {
        const one = { ...shape, timeZone: jump.timeZone }
        const now = jump.at + minutes * 60_000
        if (comesTwice(jump.timeZone, now)) return
        expect(openAt([one], now, offsetAt) !== null).toBe(saysTheWallClock(one, now))
      }),
      { numRuns: 2000 },
    )
  })
})

describe('the next fit', () => {
  it.each([
    ['now', '2026-11-27T22:30:00Z', 3, '2026-11-27T22:30:00Z'],
    ['to the last minute', '2026-11-28T01:00:00Z', 3, '2026-11-28T01:00:00Z'],
    ['next week, a minute too late', '2026-11-28T01:01:00Z', 3, '2026-12-04T22:00:00Z'],
    ['later today', '2026-11-27T10:00:00Z', 6, '2026-11-27T22:00:00Z'],
  ])('is %s', (_, now, hours, expected) => {
    expect(nextFit([window('Fri 22:00-04:00 UTC')], at(now), hours * hourMs, offsetAt)).toBe(at(expected))
  })

  it('never comes when no window is long enough', () => {
    expect(nextFit([window('daily 22:00-04:00 UTC')], 0, 7 * hourMs, offsetAt)).toBeNull()
  })

  it('is the first moment with enough time left before the end', () => {
    const windows = fc.array(aWindow, { minLength: 1, maxLength: 3 })
    const needed = fc.integer({ min: 1, max: 30 * 60 })
    fc.assert(
      fc.property(
        windows,
        fc.constantFrom(...jumps),
        minutesAround,
        needed,
        (shapes, jump, minutes, minutesNeeded) => {
          const all = shapes.map((shape) => ({ ...shape, timeZone: jump.timeZone }))
          const now = jump.at + minutes * 60_000
          const neededMs = minutesNeeded * 60_000
          const found = nextFit(all, now, neededMs, offsetAt)
          if (found === null) return
          const open = openAt(all, found, offsetAt)
          expect(open).not.toBeNull()
          expect(found + neededMs).toBeLessThanOrEqual(open?.endMs ?? 0)
          expect(found).toBeGreaterThanOrEqual(now)
          const justBefore = openAt(all, found - 60_000, offsetAt)
          const fitBefore = justBefore !== null && found - 60_000 + neededMs <= justBefore.endMs
          expect(found === now || !fitBefore).toBe(true)
        },
      ),
      { numRuns: 500 },
    )
  })
})

const aTime = fc.integer({ min: 0, max: 95 }).map((quarter) => {
  const [hours, minutes] = [Math.floor(quarter / 4), (quarter % 4) * 15]
  return `${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`
})
const aWindow = fc.record({
  days: fc.subarray([...weekdays], { minLength: 1 }),
  start: aTime,
  end: aTime,
  timeZone: fc.constant(''),
})
const minutesAround = fc.integer({ min: -4 * 24 * 60, max: 4 * 24 * 60 })

/** The other way to ask: what do the clock on the wall and the calendar beside it show? */
function saysTheWallClock({ days, start, end, timeZone }: MaintenanceWindow, now: number): boolean {
  const local = new Date(now + offsetAt(timeZone, now)).toISOString()
  const time = local.slice(11, 16)
  const today = weekdays[(new Date(local).getUTCDay() + 6) % 7] ?? 'Mon'
  const yesterday = weekdays[(weekdays.indexOf(today) + 6) % 7] ?? 'Mon'
  if (start < end) return days.includes(today) && start <= time && time < end
  return (days.includes(today) && time >= start) || (days.includes(yesterday) && time < end)
}

function comesTwice(timeZone: string, now: number): boolean {
  const local = now + offsetAt(timeZone, now)
  const offsets = [now - dayMs / 2, now + dayMs / 2].map((ms) => offsetAt(timeZone, ms))
  return (
    new Set(offsets.map((offset) => local - offset).filter((ms) => ms + offsetAt(timeZone, ms) === local))
      .size > 1
  )
}
