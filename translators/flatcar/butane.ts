import { Scalar } from 'yaml'
import { toBase64 } from '../../src/core/base64.ts'
import { firstInvalidUtf8, utf8Decode } from '../../src/core/k3os/bytes.ts'
import { yaml } from '../../src/core/yaml-text.ts'
import { ownership, plainFiles, unitsOf, userEntry, type IgnitionSource } from '../linux/ignition.ts'
import type { RootFile } from '../linux/root-file.ts'

/** The same node as Butane source: for people who keep and change it. Modes are octal here, and texts can be read. */
export function butane(source: IgnitionSource): string {
  const files = plainFiles(source).map((file) => `#${about(file)}\n${yaml([entry(file)])}`)
  return [
    '# The node as Butane source. After a change: butane --strict config.bu > config.ign\n',
    '# Holds secrets: keep it at mode 0600.\n\n',
    yaml({
      variant: 'flatcar',
      version: '1.0.0',
      passwd: {
        users: [userEntry(source.host, { password: 'password_hash', keys: 'ssh_authorized_keys' })],
      },
    }),
    'storage:\n',
    // An empty list stands on the line of its key.
    files.length === 0 ? yamlBelow('files: []\n', '  ') : `  files:\n${yamlBelow(files.join(''), '    ')}`,
    yaml({ systemd: { units: unitsOf(source) } }),
  ].join('')
}

/** The lines of a document deeper in another one. */
function yamlBelow(text: string, margin: string): string {
  return text.replaceAll(/^(?=.)/gm, margin)
}

function entry(file: RootFile): object {
  const text = firstInvalidUtf8(file.content) === -1 ? utf8Decode(file.content) : null
  return {
    path: file.path,
    mode: octal(file.mode),
    overwrite: true,
    ...ownership(file.owner),
    contents:
      text === null || /[^\t\n\u0020-\u007e\u00a0-\ud7ff\ue000-\ufffd]/.test(text)
        ? { source: `data:;base64,${toBase64(file.content)}` }
        : { inline: text },
  }
}

/** Where the file comes from, in the words of the k3OS configuration. */
function about({ from }: RootFile): string {
  const keys = new Set(from.map((path) => /^(?:k3os\.)?\w+/.exec(path)?.[0] ?? path))
  return keys.size === 0 ? ' by k3OS itself, or for the move' : ` from ${[...keys].join(', ')}`
}

/** `0600`, as people write modes; Butane reads it as octal, like YAML 1.1. */
function octal(mode: number): Scalar {
  const scalar = new Scalar(mode)
  scalar.format = 'OCT'
  return scalar
}
