/** Columns a text takes in a terminal. East Asian wide characters and emoji take two, combining ones none. */
export function displayWidth(text: string): number {
  if (oneColumnEach.test(text)) return text.length
  let width = 0
  for (const grapheme of graphemes(text)) width += graphemeWidth(grapheme)
  return width
}

// Latin letters and the usual punctuation. A segmenter takes longer to make than most commands take for all the rest.
const oneColumnEach = /^[\x20-\x7e\xa0-\xac\xae-\u02ff\u2010-\u2027]*$/

let segmenter: Intl.Segmenter | undefined
function graphemes(text: string): string[] {
  if (oneColumnEach.test(text)) return text.split('')
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' })
  return Array.from(segmenter.segment(text), ({ segment }) => segment)
}

const zeroWidth = /^[\p{Mn}\p{Me}\p{Cf}]/u
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u
const emojiPresentation = /\p{Emoji_Presentation}|\ufe0f/u

function graphemeWidth(grapheme: string): number {
  if (zeroWidth.test(grapheme)) return 0
  return wide.test(grapheme) || emojiPresentation.test(grapheme) ? 2 : 1
}

/** Lines of at most `width` columns, broken at spaces; a word that is longer stays whole, so that it can be copied. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line !== '' && displayWidth(longer) > width) {
      lines.push(line)
      line = word
    } else {
      line = longer
    }
  }
  return [...lines, line]
}

/** At most `width` columns; the middle of a longer text becomes `…`, because names differ at both ends. */
export function elide(text: string, width: number): string {
  if (displayWidth(text) <= width) return text
  const all = graphemes(text)
  const head = Math.ceil((width - 1) / 2)
  return `${take(all, head)}…${take(all.toReversed(), width - 1 - head, true)}`
}

function take(segments: readonly string[], width: number, fromEnd = false): string {
  let taken = ''
  for (const segment of segments) {
    const longer = fromEnd ? segment + taken : taken + segment
    if (displayWidth(longer) > width) break
    taken = longer
  }
  return taken
}
