import { Document, isMap, isScalar, isSeq, type Node } from 'yaml'
import { toBase64 } from '../../src/core/base64.ts'
import { firstInvalidUtf8, utf8Decode } from '../../src/core/k3os/bytes.ts'
import { ownership, plainFiles, unitsOf, userEntry, type IgnitionSource } from '../linux/ignition.ts'
import type { RootFile } from '../linux/root-file.ts'

/** The same node as Butane source: for people who keep and change it. Modes are octal here, and texts can be read. */
export function butane(source: IgnitionSource): string {
  const files = plainFiles(source)
  const document = new Document(
    {
      variant: 'flatcar',
      version: '1.0.0',
      passwd: {
        users: [userEntry(source.host, { password: 'password_hash', keys: 'ssh_authorized_keys' })],
      },
      storage: { files: files.map(entry) },
      systemd: { units: unitsOf(source) },
    },
    { version: '1.1', aliasDuplicateObjects: false },
  )
  document.commentBefore = [
    ' The node as Butane source. After a change: butane --strict config.bu > config.ign',
    ' Holds secrets: keep it at mode 0600.',
  ].join('\n')
  comment(document.getIn(['storage', 'files'], true), files.map(about))
  octalModes(document.getIn(['storage', 'files'], true))
  return document.toString({ lineWidth: 0 })
}

function entry(file: RootFile): object {
  const text = firstInvalidUtf8(file.content) === -1 ? utf8Decode(file.content) : null
  return {
    path: file.path,
    mode: file.mode,
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

function comment(list: unknown, texts: readonly string[]): void {
  if (!isSeq(list)) return
  for (const [index, item] of (list.items as Node[]).entries()) item.commentBefore = texts[index] ?? ''
}

/** `0600`, as people write modes; Butane reads it as octal, like YAML 1.1. */
function octalModes(list: unknown): void {
  if (!isSeq(list)) return
  for (const item of list.items) {
    const mode = isMap(item) ? item.get('mode', true) : undefined
    if (isScalar(mode)) mode.format = 'OCT'
  }
}
