import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parse } from '../support/recorded-program.ts'
import { readWorkflow } from '../support/workflow.ts'

const folder = fileURLToPath(new URL('../../examples/github-actions/', import.meta.url))
const names = readdirSync(folder).filter((name) => name.endsWith('.yml'))

test('there are workflows to look at', () => {
  expect(names).toEqual(['assess.yml', 'move.yml'])
})

describe.each(names)('the workflow %s', (name) => {
  const workflow = readWorkflow(`${folder}${name}`)
  const steps = Object.values(workflow.jobs).flatMap((job) => job.steps)
  const scripts = steps.flatMap((step) => ('run' in step ? [step.run] : []))

  test('puts no expression into a script: what others choose could become a command', () => {
    expect(scripts.filter((script) => script.includes('${{'))).toEqual([])
  })

  test.each(scripts)('has a script that bash can read: %s', (script) => {
    expect(execFileSync('bash', ['-n'], { input: script, encoding: 'utf8' })).toBe('')
  })

  test('calls the tool as it can be called', async () => {
    const lines = scripts
      .flatMap((script) => script.replaceAll('\\\n', ' ').split('\n'))
      .flatMap((line) => [...line.matchAll(/k3os-migrate ([^|;&>]*)/g)].map(([, args]) => args?.trim() ?? ''))
    expect(lines.length).toBeGreaterThan(1)
    for (const line of lines) {
      const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '')
      const filled = words.map((word) => (word.endsWith('SOAK') ? '5m' : word.replace(/^\$/, '')))
      expect([line, (await parse(filled)).error?.message]).toEqual([line, undefined])
    }
  })

  test('needs its jobs in an order that exists', () => {
    const needed = Object.values(workflow.jobs).flatMap(({ needs }) => needs ?? [])
    expect(Object.keys(workflow.jobs)).toEqual(expect.arrayContaining(needed))
  })

  test('may not run beside the other one', () => {
    expect(workflow.concurrency.group).toBe('k3os-migrate')
  })

  test('uploads nothing that holds secrets', () => {
    const uploads = steps.flatMap((step) => ('uses' in step ? Object.values(step.with) : []))
    const paths = uploads.join('\n').match(/[\w-]+\.\w+$/gm) ?? []
    const harmless = [
      'k3os.sarif',
      'k3os.html',
      'plan.json',
      'rehearsal.html',
      'report.html',
      'evidence.tar',
      'finalize.json',
    ]
    expect(paths.filter((path) => !harmless.includes(path))).toEqual([])
  })
})

test('the README names every file that a workflow expects on the runner', () => {
  const readme = readFileSync(`${folder}README.md`, 'utf8')
  for (const file of [
    'hosts.txt',
    'rebuild.sh',
    'reader.kubeconfig',
    'mover.kubeconfig',
    'finalize.kubeconfig',
    'evidence-key',
    'allowed',
  ])
    expect(readme).toContain(`\`${file}\``)
})
