import type { Readable } from 'node:stream'

/** Hands on each line of a program's output, and keeps the last ones for when it fails. */
export function lastLines(stream: Readable, onLine: (line: string) => void): () => readonly string[] {
  const last: string[] = []
  let rest = ''
  const take = (line: string): void => {
    if (line.trim() === '') return
    last.push(line)
    if (last.length > 200) last.shift()
    onLine(line)
  }
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split(/[\r\n]+/)
    rest = lines.pop() ?? ''
    for (const line of lines) take(line)
  })
  return () => (rest === '' ? last : [...last, rest])
}
