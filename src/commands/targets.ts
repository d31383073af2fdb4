import { resolve } from 'node:path'
import { systemClock } from '../adapters/clock.ts'
import { joinMachines } from '../core/assess/context.ts'
import { fitRows } from '../core/assess/fit.ts'
import { exitCode, type ExitCode } from '../core/errors.ts'
import type { Targets } from '../core/targets.ts'
import { json } from '../output/json.ts'
import { targetsHtml } from '../output/report/targets-html.ts'
import { targetsMarkdown, targetsText } from '../output/targets-text.ts'
import { yaml } from '../core/yaml-text.ts'
import { toolVersion } from '../version.ts'
import { targetsToLookAt } from './assess.ts'
import type { CommandIo } from './io.ts'
import { readInventory } from './read-inventory.ts'
import { refusedTargets } from './target.ts'

export interface TargetsOptions {
  readonly inventory?: string
  readonly target?: readonly string[]
  readonly output: 'table' | 'json' | 'yaml' | 'markdown' | 'html'
}

/** Which targets exist and what they need; with an inventory, also which node fits which. Always exit 0: it only looks. */
export async function targets(
  options: TargetsOptions,
  io: CommandIo,
  clock: { now(): Date } = systemClock,
): Promise<ExitCode> {
  const chosen = await targetsToLookAt(options.target)
  const inventory =
    options.inventory === undefined ? null : await readInventory(resolve(io.cwd, options.inventory))
  const document: Targets = {
    apiVersion: 'k3os-migrate/v1',
    kind: 'Targets',
    metadata: { createdAt: clock.now().toISOString(), toolVersion },
    targets: chosen,
    refused: refusedTargets(),
    fit: inventory === null ? null : fitRows({ machines: joinMachines(inventory), targets: chosen }),
  }
  io.out(print(document, options.output, io.columns))
  return exitCode.ok
}

function print(document: Targets, output: TargetsOptions['output'], columns: number | undefined): string {
  switch (output) {
    case 'table':
      return targetsText(document, columns === undefined ? {} : { width: columns })
    case 'json':
      return json(document)
    case 'yaml':
      return yaml(document)
    case 'markdown':
      return targetsMarkdown(document)
    case 'html':
      return targetsHtml(document)
  }
}
