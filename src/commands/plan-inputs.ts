import { createHmac, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { diskError, makeFolders, readIfPresent, sha256, writeDurably } from '../adapters/files.ts'
import { templateTools } from '../adapters/templates.ts'
import { exitCode, MigrateError } from '../core/errors.ts'
import { planDigest } from '../core/make-plan.ts'
import { bundleFiles } from '../core/bundle-files.ts'
import { readConfig } from '../core/k3os/read.ts'
import type { ConfigReading } from '../core/k3os/reading.ts'
import { configSourcesFrom } from '../core/k3os/sources.ts'
import { nodeSecrets } from '../core/node-secrets.ts'
import { planSchema, type Plan, type PlanNode } from '../core/plan.ts'
import { createRedactor, secretLeaves } from '../core/redact.ts'
import { secretParts } from '../core/secret-parts.ts'
import { translateNode, type NodeToTranslate } from '../core/translate-node.ts'
import { clusterChanges, stalePlan } from '../core/plan-fingerprint.ts'
import type { ClusterReader } from '../migrate/ports.ts'
import type { Rendered } from '../migrate/step.ts'
import { marker } from '../migrate/steps/check.ts'
import { requireDocument } from './read-document.ts'
import { findBeside, findTranslator } from './target.ts'
import { nodesWithBundles } from './translate-inventory.ts'

/** Reads a plan and checks that it is still the one that was made (exit 5). */
export async function readPlan(file: string): Promise<Plan> {
  const { document: plan } = await requireDocument(file, planSchema, 'make it: k3os-migrate plan')
  const digest = planDigest(plan, sha256)
  if (digest === plan.digest) return plan
  throw new MigrateError('the plan was changed after it was made: its digest does not match', {
    exitCode: exitCode.stalePlan,
    position: { file },
    hint: 'make it again: k3os-migrate plan',
  })
}

/** Too old, or resting on a waiver that has ended (exit 5). */
export function refuseOldPlan(plan: Plan, now: Date): void {
  const today = now.toISOString().slice(0, 10)
  const ended = plan.waivers.find(({ expires }) => expires !== null && expires < today)
  if (ended !== undefined)
    throw new MigrateError(`the plan rests on a waiver that ended on ${ended.expires ?? ''}: ${ended.key}`, {
      exitCode: exitCode.stalePlan,
      hint: 'do what the finding asks for, or renew the waiver; then make a new plan: k3os-migrate plan',
    })
  const hours = (now.getTime() - Date.parse(plan.metadata.createdAt)) / 3_600_000
  if (hours <= plan.policy.maxAgeHours) return
  throw new MigrateError(
    `the plan is ${Math.floor(hours)} hours old, ${plan.policy.maxAgeHours} are allowed`,
    {
      exitCode: exitCode.stalePlan,
      hint: 'take a new inventory and make a new plan: k3os-migrate inventory && k3os-migrate plan',
    },
  )
}

/**
 * Looks at all nodes before the first one is touched, so that a plan that cannot be carried out to its end is refused at
 * its beginning. Each is looked at again when its turn comes. One that another run has marked is left to that look.
 */
export async function refuseStalePlan(plan: Plan, reader: ClusterReader, signal: AbortSignal): Promise<void> {
  const cluster = await reader.read(signal)
  const marked = new Set(
    cluster.nodes.filter(({ annotations }) => marker in annotations).map(({ name }) => name),
  )
  const stale = plan.nodes
    .filter(({ name }) => !marked.has(name))
    .map((node) => [node.name, clusterChanges(plan, node, cluster, sha256)] as const)
    .filter(([, changes]) => changes.length > 0)
  if (stale.length > 0) throw stalePlan(stale)
}

/** The nodes of the plan with their bundles, each exactly the one that was planned with. */
export async function readNodes(
  plan: Plan,
  inventoryFile: string,
): Promise<ReadonlyMap<string, NodeToTranslate>> {
  const inventory = await readIfPresent(inventoryFile)
  if (inventory === undefined || sha256(inventory) !== plan.inventory.sha256) {
    throw new MigrateError('the inventory is not the one the plan was made from', {
      exitCode: exitCode.stalePlan,
      position: { file: inventoryFile },
      hint: 'make the plan again: k3os-migrate plan',
    })
  }
  const bundles = plan.nodes.map(({ bundleFile }) => bundleFile)
  const nodes = await nodesWithBundles(inventoryFile, bundles)
  const byName = new Map(nodes.map((node) => [node.nodeObject?.name ?? node.name, node]))
  for (const { name } of plan.nodes) {
    if (byName.has(name)) continue
    throw new MigrateError(`the inventory has no bundle of ${name}`, {
      exitCode: exitCode.stalePlan,
      hint: 'k3os-migrate plan',
    })
  }
  return byName
}

export async function copyInputs(
  plan: Plan,
  planFile: string,
  inventoryFile: string,
  directory: string,
): Promise<void> {
  try {
    await makeFolders(directory, 0o700)
    await writeDurably(join(directory, 'plan.json'), await readFile(planFile), 0o600)
    const signature = await readIfPresent(`${planFile}.sig`)
    if (signature !== undefined) await writeDurably(join(directory, 'plan.json.sig'), signature, 0o600)
    await writeDurably(join(directory, 'inventory.yaml'), await readFile(inventoryFile), 0o600)
    const source = dirname(inventoryFile)
    const assessment = await readIfPresent(join(source, 'assessment.json'))
    if (assessment !== undefined) await writeDurably(join(directory, 'assessment.json'), assessment, 0o600)
    for (const { bundleFile } of plan.nodes) {
      await writeDurably(join(directory, bundleFile), await readFile(join(source, bundleFile)), 0o600)
    }
  } catch (error) {
    throw error instanceof MigrateError ? error : diskError(`prepare the run ${directory}`, error)
  }
}

/** Renders a node, and refuses (exit 5) when the tool would now write something else than was planned. */
export async function renderer(
  plan: Plan,
  nodes: ReadonlyMap<string, NodeToTranslate>,
): Promise<(node: PlanNode, nonce: string) => Promise<Rendered>> {
  const translator = await (plan.method.kind === 'in-place' ? findBeside : findTranslator)(plan.target)
  const tools = templateTools()
  return async (planned, nonce) => {
    const node = nodes.get(planned.name)
    if (node === undefined) throw new Error(`no inputs for ${planned.name}`)
    const without = translateNode({ ...node, nonce: null }, translator, tools)
    if (translationDigest(without.files) !== planned.fingerprint.translationSha256) {
      throw new MigrateError(
        `${planned.name}: this version of the tool would write another configuration than was planned`,
        {
          exitCode: exitCode.stalePlan,
          hint: 'make the plan again: k3os-migrate plan',
        },
      )
    }
    return translateNode({ ...node, nonce }, translator, tools)
  }
}

/** One digest over names, modes and contents of the files of a translation. */
export function translationDigest(files: Rendered['files']): string {
  return sha256(JSON.stringify(files.map(({ path, mode, content }) => [path, mode, sha256(content)])))
}

/** Knows every secret of these nodes and takes it, and its parts, out of a text. */
export async function scrubber(
  nodes: ReadonlyMap<string, NodeToTranslate>,
): Promise<(text: string) => string> {
  const secrets = (await Promise.all([...nodes.values()].map(secretsOf))).flat()
  const key = randomBytes(32)
  const hmac8 = (value: string) => createHmac('sha256', key).update(value).digest('hex').slice(0, 8)
  const redactor = createRedactor(hmac8, secrets.flatMap(secretParts))
  return (text) => redactor.scrub(text)
}

async function secretsOf({ reading, bundle }: NodeToTranslate): Promise<string[]> {
  const configured = secretsIn(reading)
  if (bundle === null) return configured
  // Values that a later source replaced are not in the result, and still secret.
  const { configD, ...sources } = await configSourcesFrom(bundleFiles(bundle))
  const alone = [
    ...Object.entries(sources).map(([name, source]) => readConfig({ [name]: source, configD: [] })),
    ...configD.map((source) => readConfig({ configD: [source] })),
  ]
  const { nodePassword, token, registriesYaml, sshHostKeys } = nodeSecrets(bundle)
  const found = [nodePassword, token, registriesYaml, ...sshHostKeys.map(({ privateKey }) => privateKey)]
  return [...configured, ...alone.flatMap(secretsIn), ...found.filter((secret) => secret !== null)]
}

function secretsIn(reading: ConfigReading): string[] {
  return reading.status === 'merged' ? secretLeaves(reading.config).map(({ secret }) => secret) : []
}
