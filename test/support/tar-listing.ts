import { gunzipSync } from 'node:zlib'

/**
 * What a tar holds, gzipped or not, as a text to read and compare: one header line for each entry, then its content. Texts as they
 * are, other bytes as base64, archives in the archive listed in turn.
 */
export function tarListing(archive: Uint8Array): string {
  return tarEntries(archive)
    .map(({ path, kind, mode, owner, link, content }) => {
      const head = `== ${mode} ${owner} ${path}${kind === 'link' ? ` -> ${link}` : ''}\n`
      return kind === 'file' ? `${head}${readable(path, content)}` : head
    })
    .join('')
}

export interface TarEntry {
  readonly path: string
  readonly kind: 'file' | 'link' | 'folder'
  readonly mode: string
  /** `name:name`, or numbers where there are no names. */
  readonly owner: string
  readonly link: string
  readonly content: Buffer
}

export function tarEntries(archive: Uint8Array): TarEntry[] {
  const gzipped = archive[0] === 0x1f && archive[1] === 0x8b
  const bytes = gzipped ? gunzipSync(archive) : Buffer.from(archive)
  const entries: TarEntry[] = []
  let longName: string | null = null
  for (let at = 0; bytes[at] !== 0 && at < bytes.length;) {
    const text = (from: number, length: number): string =>
      bytes.toString('utf8', at + from, at + from + length).replace(/\0[^]*$/, '')
    const size = Number.parseInt(text(124, 12), 8)
    const content = bytes.subarray(at + 512, at + 512 + size)
    const type = text(156, 1)
    if (type === 'L') longName = content.toString('utf8').replace(/\0$/, '')
    else {
      const id = (from: number): string => String(Number.parseInt(text(from, 8), 8))
      entries.push({
        path: longName ?? text(0, 100),
        kind: type === '2' ? 'link' : type === '5' ? 'folder' : 'file',
        mode: text(100, 8).replace(/^0+(?=\d{4})/, ''),
        owner: `${text(265, 32) || id(108)}:${text(297, 32) || id(116)}`,
        link: text(157, 100),
        content,
      })
      longName = null
    }
    at += 512 + Math.ceil(size / 512) * 512
  }
  return entries
}

function readable(path: string, content: Buffer): string {
  if (path.endsWith('.tar')) return tarListing(content).replaceAll(/^/gm, '  ').replace(/ {2}$/, '')
  const text = content.toString('utf8')
  const isText =
    Buffer.from(text, 'utf8').equals(content) &&
    content.every((byte) => byte >= 0x20 || byte === 0x0a || byte === 0x09)
  const shown = isText ? text : `(base64) ${content.toString('base64')}`
  return shown === '' || shown.endsWith('\n') ? shown : `${shown}\n(no line end)\n`
}
