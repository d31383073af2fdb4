import type { Finding } from '../../src/core/findings.ts'
import { usualSpelling } from '../../src/core/k3os/names.ts'
import { configYaml } from '../../src/core/k3os/print-config.ts'
import { minorOf } from '../../src/core/k3s/ladder.ts'
import { versionAtLeast } from '../../src/core/k3s/version.ts'
import { translateFinding } from '../../src/core/rules/translate.ts'
import {
  sourceLeaves,
  type TraceEntry,
  type Translation,
  type Translator,
} from '../../src/core/translation.ts'
import { unifiedDiff } from '../../src/core/unified-diff.ts'
import { correct, type ForK3s } from './corrections.ts'
import { remarks } from './remarks.ts'

const file = 'config.yaml'
const differences = 'config.yaml.diff'

/** The maintained image of k3OS, with the k3s the node has. */
export const translator: Translator = maintained(null)

/** `k3sVersion`: of the image, where it is not that of the node. */
export function maintained(k3sVersion: string | null): Translator {
  return {
    id: 'k3os-maintained',
    title: 'k3OS, maintained image',
    requires: {
      machines: ['x86_64', 'aarch64', 'armv7l'],
      memoryMib: 1024,
      diskMib: 4096,
      x86Level: 1,
      firmware: ['uefi', 'bios'],
      // Debian's kernel, as translators/debian/release.ts says.
      cgroup: ['v2'],
      rejoins: true,
      image: 'none yet',
    },
    // It reads the configuration as k3OS does: nothing is dropped on the way to it.
    untrueOf: 'all',
    translate({ name, config, host: { k3s } }): Translation {
      const version = k3sVersion ?? k3s.version
      const forK3s: ForK3s | null =
        version === null || k3s.role === 'none' ? null : { node: name, role: k3s.role, version }
      const corrected = correct(config, forK3s, name)
      const before = configYaml(config)
      const after = configYaml(corrected.value)
      return {
        files: [
          { path: file, content: after, mode: 0o600 },
          {
            path: differences,
            content: unifiedDiff({ name: `a/${file}`, text: before }, { name: `b/${file}`, text: after }),
            mode: 0o600,
          },
        ],
        delivery: { kind: 'none', reason: 'the maintained image does not exist yet' },
        findings: [
          translateFinding('TRN-MAINTAINED-IMAGE', undefined, { node: name }),
          ...versionFindings(name, k3s.version, k3sVersion, k3s.role !== 'none'),
          ...corrected.findings,
          ...remarks(corrected.value, forK3s, name),
          ...(after === before
            ? []
            : (config.k3os.dataSources ?? []).map((_, index) =>
                translateFinding('TRN-MAINTAINED-SOURCES', undefined, {
                  node: name,
                  path: `k3os.dataSources[${index}]`,
                }),
              )),
        ],
        trace: sourceLeaves(config).flatMap((from): TraceEntry[] => {
          const to = corrected.moved.get(from)
          return to === null ? [] : [{ from, to: { file, path: usualSpelling(to ?? from) } }]
        }),
      }
    },
  }
}

/** Two moves, never one: a newer k3s is said, an older one stops. */
function versionFindings(
  node: string,
  from: string | null,
  asked: string | null,
  runsK3s: boolean,
): Finding[] {
  if (!runsK3s) return []
  if (from === null)
    return asked === null ? [translateFinding('TRN-MAINTAINED-K3S-UNKNOWN', undefined, { node })] : []
  if (asked === null || asked === from) return []
  const minimum = /\d+\.\d+\.\d+/.exec(from)?.[0] ?? ''
  if (versionAtLeast(asked, minimum) !== true)
    return [translateFinding('TRN-MAINTAINED-K3S-OLDER', { from, to: asked }, { node })]
  const minors = (minorOf(asked) ?? 0) - (minorOf(from) ?? 0)
  return [translateFinding('TRN-MAINTAINED-K3S-NEWER', { from, to: asked, minors }, { node })]
}
