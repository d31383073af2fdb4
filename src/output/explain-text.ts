import type { NodeExplanation } from '../core/explain-node.ts'
import { formatDuration } from '../core/duration.ts'
import { durationText } from './report/words.ts'
import { mark, plain, type Role } from './style.ts'
import { table } from './table.ts'

/** What happens to one node, for people. */
export function explainText(explained: NodeExplanation, width: number): string {
  const { node, role, place, of, why, steps, pods, volumes, worst } = explained
  const fates: Readonly<Record<string, Role>> = {
    moves: 'ok',
    stays: 'ok',
    'stays on the disk': 'ok',
    'is lost': 'warn',
    'is deleted': 'warn',
    'stops the drain': 'bad',
  }
  const fate = (text: string) => ({ text, role: fates[text] ?? ('dim' as const) })
  return [
    `${mark('name', node)}, ${role}, ${place} of ${of}\n`,
    `why here  ${plain(why)}\n`,
    `at worst  ${durationText(worst.undoableMs)} that can be undone, then ${durationText(worst.forwardMs)} in which it can only go forward`,
    worst.soakMs === 0 ? '\n' : `, then it is watched for ${durationText(worst.soakMs)}\n`,
    '\n',
    table(
      ['STEP', 'AT MOST', 'ON FAILURE', 'WHAT'],
      steps.map(({ id, timeoutMs, undone, title }) => [
        id,
        formatDuration(timeoutMs),
        undone ? 'undone' : { text: 'forward', role: 'warn' as const },
        title,
      ]),
      { width },
    ),
    '\n',
    pods.length === 0
      ? 'No pods run on it.\n'
      : table(
          ['POD', 'IT', 'BUDGET', 'BECAUSE'],
          pods.map(({ pod, fate: text, budgets, because }) => [
            pod,
            fate(text),
            budgets.join(', ') || '-',
            because,
          ]),
          { width },
        ),
    '\n',
    volumes.length === 0
      ? 'No data of pods is on its disk.\n'
      : table(
          ['VOLUME', 'OF', 'IT', 'BECAUSE'],
          volumes.map(({ volume, pod, fate: text, because }) => [volume, pod ?? '-', fate(text), because]),
          { width },
        ),
  ].join('')
}
