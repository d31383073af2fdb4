import { expect, test } from 'vitest'
import { systemClock } from '../../../src/adapters/clock.ts'

test('an aborted sleep rejects with the reason that was given', async () => {
  const stop = new AbortController()
  const sleeping = systemClock.sleep(3_600_000, stop.signal)
  const reason = new Error('Ctrl-C')
  stop.abort(reason)
  await expect(sleeping).rejects.toBe(reason)
})
