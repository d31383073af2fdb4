import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { loadKubeconfig } from '../../../src/adapters/kube/kubeconfig.ts'
import { exitCode, MigrateError } from '../../../src/core/errors.ts'
import { kubeconfigFor } from '../../support/api-stub.ts'

function directory(files: Readonly<Record<string, unknown>> = {}): (name: string) => string {
  const path = mkdtempSync(join(tmpdir(), 'k3os-migrate-kubeconfig-'))
  onTestFinished(() => rmSync(path, { recursive: true }))
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(path, name), typeof content === 'string' ? content : JSON.stringify(content))
  return (name) => join(path, name)
}

function failure(load: () => unknown): MigrateError {
  try {
    load()
  } catch (error) {
    if (error instanceof MigrateError) return error
    throw error
  }
  throw new Error('it did not fail')
}

const first = kubeconfigFor('https://first:6443', 'first')
const second = kubeconfigFor('https://second:6443', 'second')

describe('which kubeconfig', () => {
  test('--kubeconfig goes before KUBECONFIG', () => {
    const at = directory({ a: first, b: second })
    expect(loadKubeconfig({ kubeconfig: at('a') }, { KUBECONFIG: at('b') }).server).toBe('https://first:6443')
  })

  test('of several files in KUBECONFIG missing ones are skipped and the first current context counts', () => {
    const at = directory({ a: first, b: second })
    const env = { KUBECONFIG: `${at('missing')}:${at('a')}:${at('b')}` }
    expect(loadKubeconfig({}, env).context).toBe('first')
    expect(loadKubeconfig({ context: 'second' }, env).server).toBe('https://second:6443')
  })

  test('of two entries with one name the first counts', () => {
    const at = directory({ a: first, b: kubeconfigFor('https://other:6443', 'first') })
    expect(loadKubeconfig({}, { KUBECONFIG: `${at('a')}:${at('b')}` }).server).toBe('https://first:6443')
  })

  test('a file without current context leaves the choice to the next', () => {
    const at = directory({ a: { ...first, 'current-context': '' }, b: second })
    expect(loadKubeconfig({}, { KUBECONFIG: `${at('a')}:${at('b')}` }).context).toBe('second')
  })

  test('without any file it says which was looked for, and never guesses a cluster', () => {
    const at = directory()
    const error = failure(() => loadKubeconfig({}, { HOME: at('home') }))
    expect(error.message).toBe(`there is no kubeconfig: ${at('home')}/.kube/config does not exist`)
    expect(error.hint).toContain('/etc/rancher/k3s/k3s.yaml')
  })

  test('an in-cluster environment is no kubeconfig', () => {
    const at = directory()
    const env = { HOME: at('home'), KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' }
    expect(failure(() => loadKubeconfig({}, env)).exitCode).toBe(exitCode.badInput)
  })

  test('a --kubeconfig that does not exist is an error', () => {
    const at = directory({ b: second })
    expect(failure(() => loadKubeconfig({ kubeconfig: at('a') }, { KUBECONFIG: at('b') })).message).toContain(
      at('a'),
    )
  })
})

describe('which context', () => {
  test('an unknown one is an error that names those there are', () => {
    const at = directory({ a: first, b: second })
    const error = failure(() => loadKubeconfig({ context: 'third' }, { KUBECONFIG: `${at('a')}:${at('b')}` }))
    expect(error).toMatchObject({
      message: 'the kubeconfig has no context "third"; it has: first, second',
      exitCode: exitCode.usage,
    })
  })

  test('none at all is an error', () => {
    const at = directory({ a: { ...first, 'current-context': '' } })
    expect(failure(() => loadKubeconfig({ kubeconfig: at('a') }, {}))).toMatchObject({
      message: `${at('a')} sets no current context; it has: first`,
      hint: 'choose one with --context NAME',
    })
  })

  test('one whose cluster is missing is an error', () => {
    const at = directory({ a: { ...first, clusters: [] } })
    expect(failure(() => loadKubeconfig({ kubeconfig: at('a') }, {})).message).toBe(
      'the context first names the cluster "first", which is not there',
    )
  })

  test('an unencrypted server needs to be meant', () => {
    const config = { ...first, clusters: [{ name: 'first', cluster: { server: 'http://first:8080' } }] }
    const at = directory({ a: config })
    expect(failure(() => loadKubeconfig({ kubeconfig: at('a') }, {})).message).toContain('without encryption')
  })
})

describe('secrets of a kubeconfig', () => {
  test.each([
    ['broken YAML', 'users:\n- name: a\n  user: {token: S3CRET\n'],
    ['something else', '- S3CRET'],
    ['an empty file', ''],
    ['a user without name', '{"users": [{"user": {"token": "S3CRET"}}]}'],
  ])('%s is an error that does not quote it', (_what, text) => {
    const at = directory({ a: text })
    const error = failure(() => loadKubeconfig({ kubeconfig: at('a') }, {}))
    expect(error.message).toContain(at('a'))
    expect(`${error.message} ${error.hint}`).not.toContain('S3CRET')
  })

  test('credentials in the server address are not shown', () => {
    const at = directory({ a: kubeconfigFor('https://me:S3CRET@first:6443') })
    expect(loadKubeconfig({ kubeconfig: at('a') }, {}).server).toBe('https://first:6443')
  })
})
