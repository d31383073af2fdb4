import { linesOf } from './lines.ts'
import { trimSpace } from './coerce.ts'

/**
 * `/etc/hosts` with a new host name: rancher/k3os pkg/hostname. Only a line for 127.0.1.1 that is there already changes;
 * every line loses the blanks around it.
 */
export function renameInHosts(text: string, hostname: string): string {
  const lines = linesOf(text).map((line) => {
    const trimmed = trimSpace(line)
    return trimmed.split(/\s/, 1)[0] === '127.0.1.1' ? `127.0.1.1 ${hostname}` : trimmed
  })
  return lines.map((line) => `${line}\n`).join('')
}
