import { formatPosition } from '../errors.ts'
import type { ConfigPath } from '../path.ts'
import type { IgnoredArgument } from './cmdline.ts'
import type { ConfigFindings } from './config-findings.ts'
import type { Loaded } from './load.ts'
import { usualSpelling } from './names.ts'
import type { Result } from './result.ts'
import { asWritten, placeOf } from './value.ts'
import type { YamlNote } from './yaml/document.ts'

/** What was noticed while one source was read, before it met the others. */
export function reviewSource(loaded: Loaded, result: Result, findings: ConfigFindings): void {
  const { source, script } = loaded
  for (const note of loaded.notes) reviewNote(note, loaded, result, findings)
  for (const argument of loaded.ignored) {
    const { key, start, end } = argument
    findings.add(
      'CFG-ARGUMENT-IGNORED',
      { key, because: reasonFor(argument) },
      source.place(start, end),
      null,
      {
        name: key,
      },
    )
  }
  if (script !== null) {
    const binary = script === 'binary'
    const gzip = binary && source.text.startsWith('\x1f')
    findings.add('CFG-USERDATA-SCRIPT', { binary, gzip }, source.place(0, source.text.length), null)
  }
}

function reviewNote(note: YamlNote, loaded: Loaded, result: Result, findings: ConfigFindings): void {
  const { source } = loaded
  switch (note.kind) {
    case 'duplicate-key': {
      const { key, lost, by } = note
      const facts = { key, kept: formatPosition(placeOf(note.kept)), merge: by === 'merge' }
      findings.add('CFG-DUPLICATE-KEY', facts, placeOf(lost), null, { name: key })
      break
    }
    case 'equal-keys': {
      const { key, lost } = note
      const facts = { key, kept: formatPosition(placeOf(note.kept)) }
      findings.add('CFG-EQUAL-KEYS', facts, placeOf(lost), null, { name: key })
      break
    }
    case 'binary-damaged': {
      const path = settledAt(note.start, loaded, result)
      const setting = path === null ? 'a value' : usualSpelling(path)
      findings.add('CFG-BINARY-DAMAGED', { setting }, source.place(note.start, note.end), path)
      break
    }
    case 'rest-ignored': {
      const place = source.place(note.start, source.text.length)
      findings.add('CFG-REST-IGNORED', { line: place.line }, place, null)
      break
    }
  }
}

function settledAt(start: number, { source }: Loaded, result: Result): ConfigPath | null {
  const found = result.settled.find(({ slot }) => {
    const written = asWritten(slot.from)
    return written.source === source && written.start === start
  })
  return found?.path ?? null
}

function reasonFor({ because }: IgnoredArgument): string {
  return because === 'a map has this name'
    ? 'arguments before it set parts of this key'
    : 'an argument before it set a part of this key to a value'
}
