/**
 * Renderers mark what a span means; the terminal adapter colours the marks or strips them. A mark is one character of
 * Unicode's private use area before the span and one behind it, so that marked text is still a plain string. Text of the
 * world (node names, messages) goes through `plain` or `mark`, which make such characters harmless.
 *
 * Terminal adapter: `paint(text, (role, span) => coloured)`. Files, pipes and NO_COLOR: `strip(text)`.
 */
const roles = ['ok', 'warn', 'bad', 'name', 'dim'] as const
export type Role = (typeof roles)[number]

const firstMark = 0xe0f0
const endMark = String.fromCodePoint(firstMark + roles.length)

function startMark(role: Role): string {
  return String.fromCodePoint(firstMark + roles.indexOf(role))
}

/** Marks a span. Spans do not nest: a mark inside another is dropped. */
export function mark(role: Role, text: string): string {
  return text === '' ? '' : `${startMark(role)}${plain(strip(text))}${endMark}`
}

// Terminal control sequences start with these; bidirectional overrides make text read as something else; our own marks.
// oxlint-disable-next-line no-control-regex -- finding control characters is the point
const unsafe = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ue0f0-\ue0f5]/g

/** One line that cannot steer a terminal: control and direction characters become visible escapes. */
export function plain(text: string): string {
  return text.replace(unsafe, (character) => {
    const code = character.codePointAt(0) ?? 0
    if (character === '\n') return '\\n'
    if (character === '\t') return '\\t'
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`
  })
}

const spans = new RegExp(`([\\ue0f0-\\ue0f4])([^${endMark}]*)${endMark}`, 'g')
const marks = /[\ue0f0-\ue0f5]/g

/** Replaces every marked span by what `painter` makes of it. */
export function paint(text: string, painter: (role: Role, span: string) => string): string {
  return text
    .replace(spans, (_, start: string, span: string) => {
      const role = roles[(start.codePointAt(0) ?? firstMark) - firstMark]
      return role === undefined ? span : painter(role, span)
    })
    .replace(marks, '')
}

/** The text without marks. */
export function strip(text: string): string {
  return text.replace(marks, '')
}
