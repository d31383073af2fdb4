import { z } from 'zod'
import { stepIds } from './plan.ts'

/**
 * What a run tells while it goes on: one line of `events.jsonl` and of `-o jsonl`. Types may be added; whoever reads them
 * leaves out those it does not know.
 */

const head = {
  '@v': z.literal(1),
  /** RFC 3339, UTC. */
  ts: z.string(),
  /** Grows by one with each line of a run, whichever process wrote it. */
  seq: z.number(),
  runId: z.string(),
  level: z.enum(['info', 'warn', 'error']),
}
const ofNode = { ...head, node: z.string() }
const ofStep = { ...ofNode, step: z.enum(stepIds) }

export const eventSchema = z.discriminatedUnion('type', [
  z.strictObject({
    ...head,
    /** A process takes the run up: the first line of each. */
    type: z.literal('run.start'),
    data: z.strictObject({
      schema: z.literal('k3os-migrate/v1 Event'),
      toolVersion: z.string(),
      command: z.string(),
      planDigest: z.string(),
      target: z.string(),
      nodes: z.array(z.string()),
    }),
  }),
  z.strictObject({
    ...head,
    /** The cluster is this run's. */
    type: z.literal('lock'),
    data: z.strictObject({ holder: z.string(), takenFrom: z.string().nullable() }),
  }),
  z.strictObject({ ...ofNode, type: z.literal('approval.wait'), data: z.strictObject({}) }),
  z.strictObject({
    ...ofNode,
    type: z.literal('node.state'),
    data: z.strictObject({
      state: z.enum(['started', 'done', 'rolled-back', 'failed']),
      attempt: z.number().nullable(),
    }),
  }),
  z.strictObject({ ...ofStep, type: z.literal('step.start'), data: z.strictObject({ title: z.string() }) }),
  /** About to be done, in the words of the dry run. */
  z.strictObject({
    ...ofStep,
    type: z.literal('step.action'),
    data: z.strictObject({ describe: z.string() }),
  }),
  z.strictObject({
    ...ofStep,
    type: z.literal('step.progress'),
    data: z.strictObject({ message: z.string() }),
  }),
  /** The same is still waited for: half a minute has passed. */
  z.strictObject({
    ...ofStep,
    type: z.literal('step.heartbeat'),
    data: z.strictObject({ message: z.string() }),
  }),
  z.strictObject({
    ...ofStep,
    type: z.literal('drain.pod'),
    data: z.strictObject({
      /** `namespace/name`. */
      pod: z.string(),
      uid: z.string(),
      state: z.enum(['evicting', 'blocked', 'waiting', 'impossible', 'unanswered', 'gone', 'appeared']),
      /** Of this pod; null where nothing was asked. */
      attempt: z.number().nullable(),
      /** `namespace/name` of the PodDisruptionBudget in the way. */
      pdb: z.string().nullable(),
      message: z.string(),
    }),
  }),
  z.strictObject({
    ...ofStep,
    type: z.literal('step.end'),
    data: z.strictObject({ outcome: z.enum(['done', 'failed', 'undone']) }),
  }),
  z.strictObject({
    ...head,
    type: z.literal('run.end'),
    data: z.strictObject({
      exit: z.number(),
      status: z.string(),
      reason: z.string().nullable(),
      /** What to type next. */
      next: z.string().nullable(),
    }),
  }),
])

export type RunLine = z.infer<typeof eventSchema>
type Head = '@v' | 'ts' | 'seq' | 'runId' | 'level'
/** An event as whoever tells it knows it; when, which run and how loud are added where it is written. */
export type Told = RunLine extends infer E ? (E extends RunLine ? Omit<E, Head> : never) : never

export function runLine(told: Told, ts: string, seq: number, runId: string): RunLine {
  return { '@v': 1, ts, seq, runId, level: levelOf(told), ...told } as RunLine
}

function levelOf(told: Told): RunLine['level'] {
  switch (told.type) {
    case 'run.end':
      return told.data.exit === 0 ? 'info' : 'error'
    case 'node.state':
      return told.data.state === 'failed' ? 'error' : told.data.state === 'rolled-back' ? 'warn' : 'info'
    case 'step.end':
      return told.data.outcome === 'failed' ? 'error' : 'info'
    case 'drain.pod':
      return told.data.state === 'evicting' || told.data.state === 'gone' ? 'info' : 'warn'
    case 'approval.wait':
      return 'warn'
    case 'lock':
      return told.data.takenFrom === null ? 'info' : 'warn'
    case 'run.start':
    case 'step.start':
    case 'step.action':
    case 'step.progress':
    case 'step.heartbeat':
      return 'info'
  }
}
