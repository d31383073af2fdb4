import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('../../lab/root-tree.sh', import.meta.url))

/** The system that machines of the lab move to: a plain tar, the lab's own unless `ROOT_TREE=FILE` names another one. */
export const labTree =
  process.env['ROOT_TREE'] ?? execFileSync(script, ['--where'], { encoding: 'utf8' }).trim()

/** Why there is none, with what to run; undefined when there is one. */
export function missingTree(): string | undefined {
  return existsSync(labTree) ? undefined : `there is no root tree (${labTree}); run lab/root-tree.sh`
}
