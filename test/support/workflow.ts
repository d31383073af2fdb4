import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'

/** The parts of a GitHub workflow that the examples use; anything else in them is a mistake until it is added here. */
const envSchema = z.record(z.string(), z.string())
const stepSchema = z.union([
  z.strictObject({
    name: z.string(),
    id: z.string().optional(),
    if: z.string().optional(),
    run: z.string(),
  }),
  z.strictObject({
    name: z.string(),
    if: z.string().optional(),
    uses: z.string().regex(/^[\w-]+\/[\w-]+(\/[\w-]+)?@v\d+$/),
    with: envSchema,
  }),
])
const jobSchema = z.strictObject({
  name: z.string().optional(),
  needs: z.string().optional(),
  'runs-on': z.array(z.string()),
  'timeout-minutes': z.number(),
  environment: z.string().optional(),
  strategy: z
    .strictObject({ 'max-parallel': z.literal(1), 'fail-fast': z.literal(true), matrix: envSchema })
    .optional(),
  outputs: envSchema.optional(),
  env: envSchema,
  defaults: z.strictObject({
    run: z.strictObject({ shell: z.literal('bash'), 'working-directory': z.string() }),
  }),
  steps: z.array(stepSchema),
})
const workflowSchema = z.strictObject({
  name: z.string(),
  on: z.record(z.string(), z.unknown()),
  permissions: envSchema,
  concurrency: z.strictObject({ group: z.string(), 'cancel-in-progress': z.boolean().optional() }),
  jobs: z.record(z.string(), jobSchema),
})
export type Workflow = z.infer<typeof workflowSchema>

export function readWorkflow(file: string): Workflow {
  return workflowSchema.parse(parse(readFileSync(file, 'utf8')))
}

export interface JobResult {
  readonly code: number | null
  readonly output: string
  /** Of steps with an id: `plan.digest`. */
  readonly outputs: ReadonlyMap<string, string>
  readonly summary: string
}

export interface RunningJob {
  /** Kills it and all it started, as a runner that is lost. */
  lose(): void
  readonly result: Promise<JobResult>
}

/** Replaces `${{ … }}` by what GitHub would know; an expression that is not in `known` is an error. */
function filled(text: string, known: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{\{ (.*?) \}\}/g, (_, expression: string) => {
    const value = known[expression]
    if (value === undefined) throw new Error(`nobody knows ${expression}`)
    return value
  })
}

/**
 * Runs the `run:` lines of a job as a runner does: one bash for each step, in its folder, with its environment; after a step
 * that failed only those with `!cancelled()`. Steps with `uses:` are GitHub's.
 */
export function startJob(
  workflow: Workflow,
  name: string,
  known: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>>,
): RunningJob {
  const job = workflow.jobs[name]
  if (job === undefined) throw new Error(`there is no job ${name}`)
  const folder = filled(job.defaults.run['working-directory'], known)
  const files = { output: join(folder, `.output-${name}`), summary: join(folder, `.summary-${name}`) }
  const env = {
    ...environment,
    ...Object.fromEntries(Object.entries(job.env).map(([key, value]) => [key, filled(value, known)])),
    CI: 'true',
    GITHUB_OUTPUT: files.output,
    GITHUB_STEP_SUMMARY: files.summary,
  }
  let lost = false
  let kill = (): void => undefined

  async function runStep(script: string): Promise<{ readonly code: number | null; readonly output: string }> {
    const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    kill = () => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    }
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
    const [code] = (await once(child, 'close')) as [number | null]
    return { code, output }
  }

  async function runAll(): Promise<JobResult> {
    let code: number | null = 0
    let output = ''
    const outputs = new Map<string, string>()
    writeFileSync(files.summary, '')
    for (const step of job?.steps ?? []) {
      if (!('run' in step) || lost || (code !== 0 && step.if === undefined)) continue
      writeFileSync(files.output, '')
      const result = await runStep(step.run)
      output += result.output
      if (code === 0) code = result.code
      for (const line of readFileSync(files.output, 'utf8').split('\n')) {
        const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? []
        if (key !== undefined && value !== undefined) outputs.set(`${step.id ?? ''}.${key}`, value)
      }
    }
    return { code, output, outputs, summary: readFileSync(files.summary, 'utf8') }
  }

  return {
    lose() {
      lost = true
      kill()
    },
    result: runAll(),
  }
}
