/**
 * One JSON document with two spaces and a newline at its end. Keys stay in the order of the data, which the schemas fix.
 * C1 control characters are escaped too: JSON allows them raw, terminals obey them.
 */
export function json(document: unknown): string {
  return `${escapeControls(JSON.stringify(document, null, 2))}\n`
}

/** One line of JSON, for streams of records. */
export function jsonLine(record: unknown): string {
  return `${escapeControls(JSON.stringify(record))}\n`
}

function escapeControls(text: string): string {
  return text.replace(
    /[\u007f-\u009f]/g,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  )
}
