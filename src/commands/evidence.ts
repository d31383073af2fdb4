import { join, resolve } from 'node:path'
import { readIfPresent, sha256, writeDurably } from '../adapters/files.ts'
import { findRun, stateDirectory } from '../adapters/run-directory.ts'
import { sshSignatures, type Signatures } from '../adapters/ssh-signature.ts'
import { exitCode, MigrateError, type ExitCode } from '../core/errors.ts'
import { checkEvidence, type EvidenceReading } from '../core/evidence-check.ts'
import { evidenceParts, makeEvidence, manifestFile, manifestSignature } from '../core/evidence.ts'
import { evidenceVerdict, type CheckedSignature } from '../core/evidence-verdict.ts'
import { outcomeSchema } from '../core/outcome.ts'
import { planSchema } from '../core/plan.ts'
import { readTar, writeTar, type ArchiveFiles } from '../core/archive.ts'
import { evidenceText } from '../output/evidence-text.ts'
import { json } from '../output/json.ts'
import { toolVersion } from '../version.ts'
import type { CommandIo } from './io.ts'
import { requireDocument } from './read-document.ts'

export interface EvidenceCreateOptions {
  /** Id or directory of the run; the newest when not given. */
  readonly run?: string
  readonly stateDir?: string
  readonly key?: string
  readonly out?: string
}

/** Puts the evidence of a run into one archive. What does not hold together is refused here, not at the auditor's. */
export async function evidenceCreate(
  options: EvidenceCreateOptions,
  io: CommandIo,
  signatures: Signatures = sshSignatures(),
): Promise<ExitCode> {
  const state = resolve(io.cwd, stateDirectory(io.env, options.stateDir))
  const directory = resolve(io.cwd, await findRun(state, options.run))
  const files = await readParts(directory)
  const made = new Map(makeEvidence({ files, withheld: await withheldFiles(directory), toolVersion, sha256 }))
  const reading = checkEvidence(made, sha256)
  const wrong = reading.checks.find(({ problem }) => problem !== null)
  if (wrong !== undefined)
    throw new MigrateError(`${wrong.part} does not hold: ${wrong.problem}`, {
      exitCode: exitCode.stalePlan,
      position: { file: join(directory, wrong.part) },
      hint: 'is the run under way, or was it killed? k3os-migrate status; k3os-migrate resume',
    })
  const manifest = made.get(manifestFile)
  if (options.key !== undefined && manifest !== undefined)
    made.set(
      manifestSignature,
      new TextEncoder().encode(await signatures.sign(resolve(io.cwd, options.key), manifest)),
    )
  const out = options.out ?? `evidence-${reading.manifest?.runId ?? 'run'}.tar`
  await writeDurably(resolve(io.cwd, out), writeTar(made), 0o644, io.signal)
  io.out(`${out}\n`)
  io.err(
    `${made.size} files${options.key === undefined ? ', not signed (--key FILE)' : ''}; nothing secret is in it\nnext: k3os-migrate evidence verify ${out}\n`,
  )
  return exitCode.ok
}

async function readParts(directory: string): Promise<ArchiveFiles> {
  const files = new Map<string, Uint8Array>()
  for (const { path, needed } of evidenceParts) {
    const bytes = await readIfPresent(join(directory, path))
    if (bytes !== undefined) files.set(path, bytes)
    else if (needed)
      throw new MigrateError(`${directory} has no ${path}`, {
        exitCode: exitCode.io,
        hint: 'only a run that has ended, well or not, has evidence: k3os-migrate status',
      })
  }
  const damaged = 'restore the file from a copy: it was written by the run'
  await requireDocument(join(directory, 'plan.json'), planSchema, damaged)
  await requireDocument(join(directory, 'outcome.json'), outcomeSchema, damaged)
  return files
}

/** Raw inventories hold secrets: only their digests go along. */
async function withheldFiles(directory: string): Promise<ReadonlyMap<string, string>> {
  const { document: plan } = await requireDocument(join(directory, 'plan.json'), planSchema, '')
  const digests = new Map<string, string>()
  for (const { bundleFile } of plan.nodes) {
    const bytes = await readIfPresent(join(directory, bundleFile))
    if (bytes !== undefined) digests.set(bundleFile, sha256(bytes))
  }
  return digests
}

export interface EvidenceVerifyOptions {
  readonly file: string
  readonly allowedSigners?: string
  readonly requireSignature?: boolean
  readonly output: 'table' | 'json'
}

/** Checks an archive with nothing but itself and a list of signers. Exit 5 names everything that does not hold. */
export async function evidenceVerify(
  options: EvidenceVerifyOptions,
  io: CommandIo,
  signatures: Signatures = sshSignatures(),
): Promise<ExitCode> {
  const { allowedSigners, requireSignature = false } = options
  if (requireSignature && allowedSigners === undefined)
    throw new MigrateError('--require-signature needs to know whose: --allowed-signers FILE', {
      exitCode: exitCode.usage,
    })
  const bytes = await readIfPresent(resolve(io.cwd, options.file))
  if (bytes === undefined)
    throw new MigrateError(`cannot read ${options.file}: it does not exist`, {
      exitCode: exitCode.io,
      hint: 'k3os-migrate evidence create makes one',
    })
  const reading = checkEvidence(readTar(bytes, options.file), sha256)
  const checked = await checkSignatures(reading, allowedSigners, io, signatures)
  const verdict = evidenceVerdict(reading, checked, { requireSignature })
  io.out(options.output === 'json' ? json(verdict) : evidenceText(verdict, io.columns ?? 120))
  const wrong = verdict.checks.filter(({ result }) => result === 'wrong')
  if (wrong.length === 0) return exitCode.ok
  const parts = [...new Set(wrong.map(({ part }) => part))]
  throw new MigrateError(`the evidence does not hold: ${parts.join(', ')}`, {
    exitCode: exitCode.stalePlan,
    position: { file: options.file },
    hint: 'get the archive again from where it was made, and find out who changed this one',
  })
}

async function checkSignatures(
  { signatures: found }: EvidenceReading,
  allowedSigners: string | undefined,
  io: CommandIo,
  signatures: Signatures,
): Promise<CheckedSignature[]> {
  const checked: CheckedSignature[] = []
  for (const { part, what, signature, message, principal } of found) {
    if (allowedSigners === undefined) {
      checked.push({ part, what, status: 'not checked' })
      continue
    }
    const verdict = await signatures.verify({
      allowedSigners: resolve(io.cwd, allowedSigners),
      signature,
      message,
      ...(principal === null ? {} : { principal }),
    })
    checked.push({ part, what, ...verdict })
  }
  return checked
}
