import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { collectorScript, fingerprintScript } from '../../../src/adapters/collector.ts'
import { requirePart } from '../../support/require-part.ts'

const { error } = spawnSync('shellcheck', ['--version'])
const missing = error === undefined ? undefined : 'shellcheck is missing: apt-get install shellcheck'

test.skipIf(requirePart('SHELLCHECK', missing)).each([
  ['collect.sh', collectorScript()],
  ['fingerprint.sh', fingerprintScript()],
])('%s is plain POSIX sh without a complaint', (_name, script) => {
  const { stdout } = spawnSync('shellcheck', ['-s', 'sh', '-'], { input: script, encoding: 'utf8' })
  expect(stdout).toBe('')
})
