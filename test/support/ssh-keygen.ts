import { spawnSync } from 'node:child_process'

/** Why suites that sign cannot run here, or undefined when they can. */
export function sshKeygenMissing(): string | undefined {
  return spawnSync('ssh-keygen', ['-?']).error === undefined ? undefined : 'there is no ssh-keygen'
}
