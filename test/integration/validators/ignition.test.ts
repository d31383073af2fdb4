import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { filesOfIgnition } from '../../support/emitted-files.ts'
import { goldenFile, judgeUnits, missingTools } from '../../support/judges.ts'
import { requirePart } from '../../support/require-part.ts'
import { missingValidators, validate } from '../../support/validators.ts'

// Ignition and Butane, whose parsers take everything emitted for Flatcar and MicroOS (matrix.test.ts), refuse what is wrong.
// Without -strict a key that they do not know is only a warning.

const skip = requirePart('VALIDATORS', missingValidators() ?? missingTools(['systemd-analyze'], 'systemd'))
const documents = [
  ['flatcar', 'config.ign', 'ignition'],
  ['flatcar', 'config.bu', 'butane'],
  ['microos', 'ignition/config.ign', 'ignition'],
] as const

describe.skipIf(skip).each(documents)('%s %s', (target, file, validator) => {
  it('refuses a key that does not exist, which is accepted without -strict', () => {
    const right = readFileSync(goldenFile('static-two-ports', target, file), 'utf8')
    const wrong = right
      .replace('"systemd": {', '"systemd": { "unit": [],')
      .replace(/^systemd:$/m, 'systemd:\n  unit: []')
    expect(wrong).not.toBe(right)
    expect(validate(validator, wrong).accepted).toBe(true)
    expect(validate(validator, wrong, '-strict').accepted).toBe(false)
  })

  it('refuses an octal mode written as a decimal one', () => {
    const right = readFileSync(goldenFile('static-two-ports', target, file), 'utf8')
    const wrong = right.replace('"mode": 420', '"mode": 644').replace('mode: 0644', 'mode: 644')
    expect(wrong).not.toBe(right)
    expect(validate(validator, wrong, '-strict').accepted).toBe(false)
  })

  it('refuses one path given twice', () => {
    const right = readFileSync(goldenFile('static-two-ports', target, file), 'utf8')
    const wrong = right.replaceAll(/\/etc\/sysctl\.d\/[\w.-]+/g, '/etc/k3os-migrate/nonce')
    expect(wrong).not.toBe(right)
    expect(validate(validator, wrong).accepted).toBe(false)
  })
})

it.skipIf(skip)('the check of units fails on a key that does not exist', () => {
  const files = filesOfIgnition(readFileSync(goldenFile('static-two-ports', 'flatcar', 'config.ign'), 'utf8'))
  const wrong = [...files].map(
    ([path, text]) => [path, String(text).replace('KillMode=', 'KilMode=')] as const,
  )
  expect(judgeUnits(files).accepted).toBe(true)
  expect(judgeUnits(new Map(wrong)).accepted).toBe(false)
})
