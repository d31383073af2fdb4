import type { Hook, RunFiles } from '../migrate/ports.ts'

/**
 * A person who does what the run writes down for them: the machine is rebuilt from its seed, as a hook would. Nobody comes
 * for the nodes that `absent` names.
 */
export function withPerson(files: RunFiles, hook: Hook, absent: ReadonlySet<string> = new Set()): RunFiles {
  return {
    ...files,
    async write(path, content, mode, signal) {
      await files.write(path, content, mode, signal)
      const [, node, attempt] = /^nodes\/([^/]+)\/by-hand-(\d+)\.txt$/.exec(path) ?? []
      if (node === undefined || attempt === undefined || absent.has(node)) return
      await hook.run([], {
        environment: {
          K3OS_MIGRATE_NODE: node,
          K3OS_MIGRATE_SEED: `${files.directory}/nodes/${node}/seed-${attempt}`,
          K3OS_MIGRATE_KEEP_DATA: String(content).includes('Leave /var/lib/rancher') ? '1' : '0',
        },
        onLine: () => {},
        output: '',
        signal: signal ?? new AbortController().signal,
      })
    },
  }
}
