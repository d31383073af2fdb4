import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { makeTalosSecrets } from '../../../src/adapters/talos-secrets.ts'
import { templateTools } from '../../../src/adapters/templates.ts'
import { flagTable } from '../../../src/core/k3s/flag-table.ts'
import { translateNode } from '../../../src/core/translate-node.ts'
import { translators } from '../../../translators/index.ts'
import { goldenFile, rootWith } from '../../support/judges.ts'
import { requirePart } from '../../support/require-part.ts'
import { nodeFrom } from '../../support/translation.ts'
import { missingValidators, validate, validateAll } from '../../support/validators.ts'

// Each dialect by the loader of its own Talos: the patch is applied to what `talosctl gen config` makes, and the whole is
// loaded again and validated, as the commands of MOVE.md do. Every configuration: matrix.test.ts.

const skip = requirePart('VALIDATORS', missingValidators())
const tools = templateTools()
const dialects = [
  ['talos', 'talos-1.14'],
  ['talos-1.13', 'talos-1.13'],
] as const

const read = (name: string, target: string, file: string) =>
  readFileSync(goldenFile(name, target, file), 'utf8')

describe.skipIf(skip).each(dialects)('%s', (target, validator) => {
  // One value that Talos cannot read makes it refuse the machine, so each flag is tried with values it was not made for, too.
  it.each(['server', 'agent'] as const)(
    'takes what becomes of every flag of %s',
    { timeout: 120_000 },
    async (role) => {
      const translator = await translators[target]?.()
      if (translator === undefined) throw new Error(`no translator ${target}`)
      const flags = flagTable
        .trim()
        .split('\n')
        .flatMap((line) =>
          ['10.0.0.5', '10.44.0.0/16', 'none'].map((value) => `--${line.split(' ')[0]}=${value}`),
        )
      const texts = flags.map((flag) => {
        const node = nodeFrom({
          hostname: 'n1',
          k3os: { k3sArgs: [role, flag], serverUrl: 'https://10.0.0.1:6443', token: 'x' },
        })
        const { files } = translateNode(node, translator, tools)
        return String(files.find(({ path }) => path === 'machine.yaml')?.content)
      })
      const kind = role === 'server' ? 'controlplane' : 'worker'
      const verdicts = validateAll(validator, texts, '-patch-of', kind)
      const refused = flags.flatMap((flag, index) =>
        verdicts[index]?.accepted === true ? [] : [`${flag}: ${verdicts[index]?.said}`],
      )
      expect(refused).toEqual([])
    },
  )

  it.each([
    ['a key that does not exist', (text: string) => `${text}---\nmachine:\n  sysctl: {}\n`],
    [
      'a document that does not exist',
      (text: string) => `${text}---\napiVersion: v1alpha1\nkind: HostConfig\n`,
    ],
    ['a value of another type', (text: string) => text.replace(/^hostname: .*$/m, 'hostname: [x]')],
    ['an address that is none', (text: string) => text.replace('192.168.1.10/24', '192.168.1.300/24')],
  ])('refuses %s', (_, mistake) => {
    const right = read('static-two-ports', target, 'machine.yaml')
    const wrong = mistake(right)
    expect(wrong).not.toBe(right)
    expect(validate(validator, wrong, '-patch-of', 'controlplane').accepted).toBe(false)
  })
})

describe.skipIf(skip)('the loaders themselves', () => {
  it('1.13 refuses the dialect of 1.14', () => {
    const text = read('static-two-ports', 'talos', 'machine.yaml')
    expect(validate('talos-1.13', text, '-patch-of', 'controlplane')).toMatchObject({
      accepted: false,
      said: expect.stringContaining('not registered') as string,
    })
  })

  it('refuse a patch alone, which has no machine', () => {
    expect(validate('talos-1.13', 'machine:\n  sysctls: {}\n').accepted).toBe(false)
  })

  it('refuse a Kubernetes that this Talos does not run, which validating alone does not', () => {
    const patch = 'machine:\n  kubelet:\n    image: ghcr.io/siderolabs/kubelet:v1.21.5\n'
    expect(validate('talos-1.13', patch, '-patch-of', 'worker')).toMatchObject({
      accepted: false,
      said: expect.stringContaining('1.21.5') as string,
    })
  })
})

describe.skipIf(skip).each([
  ['1.14', 'talos-1.14'],
  ['1.13', 'talos-1.13'],
] as const)('secrets for %s', (minor, validator) => {
  const text = skip ? Promise.resolve('') : makeTalosSecrets(new Date(), minor)

  it('are taken by its own code for configurations of both roles and a client', async () => {
    expect(validate(validator, await text, '-secrets')).toMatchObject({ accepted: true })
  })

  it.each([
    ['a key that does not exist', (right: string) => right.replace('bootstraptoken:', 'token:')],
    ['a certificate that is none', (right: string) => right.replace(/crt: \S+/, 'crt: eA==')],
    ['no service account', (right: string) => right.replace(/ {2}k8sserviceaccount:\n.*\n/, '')],
  ])('are refused with %s', async (_, mistake) => {
    const right = await text
    expect(mistake(right)).not.toBe(right)
    expect(validate(validator, mistake(right), '-secrets').accepted).toBe(false)
  })

  it('have certificates that OpenSSL takes for CAs', async () => {
    const openssl = (...args: string[]) => spawnSync('openssl', args, { encoding: 'utf8' })
    const { certs } = parse(await text) as { certs: Record<string, { crt?: string }> }
    const pems = Object.values(certs).flatMap(({ crt }) => (crt === undefined ? [] : [crt]))
    const root = rootWith(pems.map((crt, index) => [`/${index}.pem`, Buffer.from(crt, 'base64').toString()]))
    for (const index of pems.keys()) {
      const file = `${root}/${index}.pem`
      const { status, stderr } = openssl('verify', '-x509_strict', '-check_ss_sig', '-CAfile', file, file)
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      expect(openssl('x509', '-in', file, '-noout', '-purpose').stdout).toContain('SSL server CA : Yes')
    }
    expect(pems).toHaveLength(4)
  })
})
