import { resolve } from 'node:path'
import { exitCode, MigrateError, type ExitCode } from '../core/errors.ts'
import { isRbacCommand, rbacObjects, rulesFor } from '../core/rbac.ts'
import { json } from '../output/json.ts'
import { rbacManifest } from '../output/rbac-manifest.ts'
import type { CommandIo } from './io.ts'
import { readPlan } from './plan-inputs.ts'

export interface RbacOptions {
  /** A command as it is typed: `apply`, or two words. */
  readonly command: readonly string[]
  readonly viaPod?: boolean
  readonly cleanUp?: boolean
  /** File of the plan to carry out: it names controllers to pause. */
  readonly plan?: string
  /** Of account, roles and bindings; from the command when not given. */
  readonly name?: string
  readonly namespace: string
  readonly output: 'yaml' | 'json'
}

/** Prints an account that may do what a command does in the cluster, and nothing else. */
export async function rbac(options: RbacOptions, io: CommandIo): Promise<ExitCode> {
  const words = [
    ...options.command,
    ...(options.viaPod === true ? ['--via-pod'] : []),
    ...(options.cleanUp === true ? ['--clean-up'] : []),
  ]
  const typed = words.join(' ')
  const { pauses } =
    options.plan === undefined ? { pauses: [] } : await readPlan(resolve(io.cwd, options.plan))
  const rules = isRbacCommand(typed) ? rulesFor(typed, pauses) : []
  const name = options.name ?? `k3os-migrate-${words.map((word) => word.replace(/^--/, '')).join('-')}`
  if (rules.length === 0) {
    io.err(`"${typed}" does not talk to the cluster: it needs no account\n`)
    return exitCode.ok
  }
  for (const given of [name, options.namespace]) refuseBadName(given)
  const objects = rbacObjects(rules, { name, namespace: options.namespace })
  const list = { apiVersion: 'v1', kind: 'List', items: objects.map(({ object }) => object) }
  if (options.output === 'json') io.out(json(list))
  else io.out(rbacManifest(objects, [`What "k3os-migrate ${typed}" does in the cluster, and nothing else.`]))
  io.err(
    `next: k3os-migrate rbac ${typed}${options.plan === undefined ? '' : ` --plan ${options.plan}`} | kubectl apply -f -\nthen, with kubectl 1.24 or newer: kubectl -n ${options.namespace} create token ${name}\n`,
  )
  return exitCode.ok
}

function refuseBadName(name: string): void {
  if (/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) return
  throw new MigrateError(`${name} cannot be the name of an account or a namespace`, {
    exitCode: exitCode.usage,
    hint: 'small letters, digits and dashes, at most 63: --name mover --namespace movers',
  })
}
