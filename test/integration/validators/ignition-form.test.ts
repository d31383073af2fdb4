import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { goldenCases, goldenFile } from '../../support/judges.ts'
import { requirePart } from '../../support/require-part.ts'
import { missingValidators, validate } from '../../support/validators.ts'

// The form of Ignition configurations and their Butane source, by the parsers of both. Without -strict a key that they do not
// know is only a warning.

const skip = requirePart('VALIDATORS', missingValidators())
const documents = [
  ['flatcar', 'config.ign', 'ignition'],
  ['flatcar', 'config.bu', 'butane'],
  ['microos', 'ignition/config.ign', 'ignition'],
] as const

describe.skipIf(skip).each(documents)('%s %s', (target, file, validator) => {
  const cases = goldenCases(target, file)

  it.each(cases)('%s', (name) => {
    const text = readFileSync(goldenFile(name, target, file), 'utf8')
    expect(validate(validator, text, '-strict')).toEqual({ accepted: true, said: '' })
  })

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
