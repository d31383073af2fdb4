import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { effects } from '../../src/core/k3os/effects.ts'
import { readConfig } from '../../src/core/k3os/read.ts'
import { applyEffects, type Applied } from '../support/apply-effects.ts'
import { caseNames, caseSources, readTree } from '../support/config-case.ts'
import { sharedDir } from '../support/shared.ts'

const own = join(import.meta.dirname, 'k3os-apply')
const shared = sharedDir('fixtures/k3os-apply')
const phases = ['initrd', 'boot', 'runtime', 'install'] as const

/** Files every machine has before anything happens. */
const image = { '/etc/hosts': '127.0.0.1\tlocalhost localhost.localdomain\n127.0.1.1 k3os-1234\n' }
const sysctlDirectories = new Set([
  'kernel',
  'vm',
  'net/core',
  'net/ipv4',
  'net/ipv4/conf/all',
  'net/ipv4/conf/eth0',
])

function optionalText(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

function applyCase(dir: string, phase: (typeof phases)[number]): Applied {
  const reading = readConfig(caseSources(dir))
  if (reading.status === 'rejected')
    return { hostname: 'k3os-1234', files: {}, calls: [], errors: [reading.reason] }
  const mode = optionalText(join(dir, 'mode')).trim()
  const before = { ...image, ...readTree(join(dir, 'before')) }
  const remote = JSON.parse(optionalText(join(dir, 'remote.json')) || '{}') as Record<string, string>
  const applied = applyEffects(
    effects(reading.config, {
      phase,
      mode,
      k3osVersion: 'v0.22.2-k3s2r0',
      hasK3s: !existsSync(join(dir, 'no-k3s')),
    }),
    {
      hostname: 'k3os-1234',
      files: new Map(Object.entries(before).map(([path, content]) => [path, { mode: 0o644, content }])),
      loadedModules: new Set(['ext4', 'kvm']),
      sysctlDirectories,
      remote: new Map(Object.entries(remote)),
    },
  )
  return sortedEnvironment(applied)
}

/** k3OS writes the lines of /etc/environment in random order; the recordings sort them. */
function sortedEnvironment(applied: Applied): Applied {
  const file = applied.files['/etc/environment']
  if (file === undefined) return applied
  const lines = file.content.split('\n').filter((line) => line !== '')
  const content = lines
    .toSorted()
    .map((line) => `${line}\n`)
    .join('')
  return { ...applied, files: { ...applied.files, '/etc/environment': { ...file, content } } }
}

type ByPhase = Partial<Record<(typeof phases)[number], Applied>>

function recorded(dir: string): ByPhase {
  const files = phases.map((phase) => [phase, join(dir, `applied-${phase}.json`)] as const)
  const there = files.filter(([, file]) => existsSync(file))
  return Object.fromEntries(
    there.map(([phase, file]) => [phase, JSON.parse(readFileSync(file, 'utf8')) as Applied]),
  )
}

/** Why a configuration is rejected is said in our words, and k3OS's depend on the Go version: only that counts. */
function comparable(dir: string, byPhase: ByPhase): ByPhase {
  const isRejected = readConfig(caseSources(dir)).status === 'rejected'
  if (!isRejected) return byPhase
  return Object.fromEntries(
    Object.entries(byPhase).map(([phase, applied]) => [
      phase,
      { ...applied, errors: applied.errors.map(() => 'rejected') },
    ]),
  )
}

function ours(dir: string): ByPhase {
  const wanted = phases.filter((phase) => existsSync(join(dir, `applied-${phase}.json`)))
  return Object.fromEntries(wanted.map((phase) => [phase, applyCase(dir, phase)]))
}

describe('cases of this project', () => {
  test.each(caseNames(own))('%s', (name) => {
    const dir = join(own, name)
    expect(comparable(dir, ours(dir))).toEqual(comparable(dir, recorded(dir)))
  })
})

describe.skipIf(shared === undefined)(
  'cases recorded from k3OS (skipped when ../shared is not there)',
  () => {
    const names = shared === undefined ? [] : caseNames(shared)
    test('there are 26 of them', () => {
      expect(names).toHaveLength(26)
    })
    test.each(names)('%s', (name) => {
      const dir = join(shared ?? '', name)
      expect(comparable(dir, ours(dir))).toEqual(comparable(dir, recorded(dir)))
    })
  },
)

test('every case records at least one phase', () => {
  expect(caseNames(own).filter((name) => Object.keys(recorded(join(own, name))).length === 0)).toEqual([])
})
