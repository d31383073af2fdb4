import { parseAllDocuments } from 'yaml'
import { describe, expect, test } from 'vitest'
import { rbac, type RbacOptions } from '../../../src/commands/rbac.ts'
import { exitCode } from '../../../src/core/errors.ts'
import {
  commandRules,
  permissionsOf,
  permissionText,
  rulesFor,
  type RbacCommand,
} from '../../../src/core/rbac.ts'
import { commandLines } from '../../support/recorded-program.ts'
import { recordingIo } from '../../support/recording-io.ts'

async function printed(options: Partial<RbacOptions> & Pick<RbacOptions, 'command'>) {
  const io = recordingIo('/')
  await rbac({ namespace: 'kube-system', output: 'yaml', ...options }, io)
  return io
}

interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly rules?: readonly { readonly verbs: readonly string[]; readonly resources: readonly string[] }[]
}

const objects = (text: string): Manifest[] =>
  parseAllDocuments(text).map((document) => document.toJS() as Manifest)

describe('an account', () => {
  test('has roles where its rules are, and nothing that is left to chance', async () => {
    const found = objects((await printed({ command: ['apply'] })).stdout())
    expect(found.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? '-'}`)).toEqual([
      'ServiceAccount kube-system',
      'ClusterRole -',
      'ClusterRoleBinding -',
      'Role kube-node-lease',
      'RoleBinding kube-node-lease',
      'Role kube-system',
      'RoleBinding kube-system',
    ])
    expect(new Set(found.map(({ metadata }) => metadata.name))).toEqual(new Set(['k3os-migrate-apply']))
  })

  test('is the same in JSON', async () => {
    const yaml = objects((await printed({ command: ['finalize', 'apply'] })).stdout())
    const json = JSON.parse((await printed({ command: ['finalize', 'apply'], output: 'json' })).stdout()) as {
      items: unknown
    }
    expect(json.items).toEqual(yaml)
  })

  test('has the name and the namespace it is given', async () => {
    const io = await printed({ command: ['status'], name: 'looker', namespace: 'movers' })
    expect(objects(io.stdout())[0]?.metadata).toEqual({ name: 'looker', namespace: 'movers' })
    expect(io.stderr()).toContain('kubectl -n movers create token looker')
  })

  test.each(['Mover', 'a b', '-a', 'a'.repeat(64), ''])('cannot be called %j', async (name) => {
    await expect(printed({ command: ['apply'], name })).rejects.toMatchObject({ exitCode: exitCode.usage })
  })

  test('is not printed for a command that asks the cluster for nothing', async () => {
    const io = await printed({ command: ['plan', 'show'] })
    expect([io.stdout(), io.stderr()]).toEqual(['', expect.stringContaining('needs no account')])
  })
})

describe('the controllers that a plan pauses', () => {
  const pauses = [
    { controller: 'kured', kind: 'DaemonSet', namespace: 'ops', name: 'kured', isAtRest: false },
    { controller: 'descheduler', kind: 'CronJob', namespace: 'ops', name: 'a', isAtRest: false },
    { controller: 'descheduler', kind: 'CronJob', namespace: 'ops', name: 'b', isAtRest: false },
  ] as const
  const more = (command: RbacCommand) =>
    permissionsOf(rulesFor(command, pauses).slice(commandRules[command].length)).map(permissionText)

  test.each(['apply', 'resume', 'revert', 'abandon'] as const)(
    'may be changed by %s, each by its name',
    (command) => {
      expect(more(command)).toEqual([
        'get daemonsets.apps kured in namespace ops',
        'patch daemonsets.apps kured in namespace ops',
        'get cronjobs.batch a in namespace ops',
        'get cronjobs.batch b in namespace ops',
        'patch cronjobs.batch a in namespace ops',
        'patch cronjobs.batch b in namespace ops',
      ])
    },
  )

  test.each(['inventory', 'status', 'finalize', 'finalize apply'] as const)(
    'are no business of %s',
    (command) => {
      expect(more(command)).toEqual([])
    },
  )

  test('are nobody’s business without a plan', () => {
    expect(rulesFor('apply')).toEqual(commandRules.apply)
  })
})

describe('the rules', () => {
  test.each(Object.keys(commandRules))('of "%s" are for a command that there is', (command) => {
    expect(commandLines()).toContain(command.replace(/ --.*/, ''))
  })

  test.each(Object.entries(commandRules))('of "%s" name nothing twice, and no wildcard', (_, rules) => {
    const texts = permissionsOf(rules).map(permissionText)
    expect(texts).toEqual([...new Set(texts)])
    expect(texts.filter((text) => text.includes('*'))).toEqual([])
  })

  test('let no command but via-pod make a pod, and none delete one of others', () => {
    const may = (text: string) =>
      Object.entries(commandRules)
        .filter(([, rules]) => permissionsOf(rules).some((one) => permissionText(one).startsWith(text)))
        .map(([command]) => command)
    expect(may('create pods in namespace kube-system')).toEqual(['inventory --via-pod'])
    expect(may('delete pods')).toEqual(['inventory --via-pod', 'inventory --clean-up'])
  })

  test('let no command read what Secrets and ConfigMaps hold by listing them', () => {
    const all = Object.values(commandRules).flatMap((rules) => permissionsOf(rules).map(permissionText))
    expect(all.filter((text) => /^list (secrets|configmaps)/.test(text))).toEqual([])
  })
})
