import { expect, test } from 'vitest'
import { lane } from '../../../src/migrate/lane.ts'

test('so many at a time, in the order in which they came, also after a failure', async () => {
  const twoAtATime = lane(2)
  const log: string[] = []
  let running = 0
  const results = await Promise.allSettled(
    ['a', 'b', 'c', 'd'].map(async (name) =>
      twoAtATime(async () => {
        running += 1
        log.push(`${name} of ${running}`)
        await Promise.resolve()
        running -= 1
        if (name === 'a') throw new Error(name)
        return name
      }),
    ),
  )
  expect(log.map((line) => line[0])).toEqual(['a', 'b', 'c', 'd'])
  expect(log.filter((line) => /of [3-9]/.test(line))).toEqual([])
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled', 'fulfilled'])
})
