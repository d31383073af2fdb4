/** Lines around a change that show where it belongs. */
const context = 3

interface Edit {
  readonly kind: ' ' | '-' | '+'
  readonly line: string
}

/**
 * What `diff -u` and `patch` take: `before` becomes `after`. '' when they are the same. Both are texts of whole lines; the
 * shortest list of changes is found (Myers, "An O(ND) Difference Algorithm", 1986), so few changes in a long text are quick.
 */
export function unifiedDiff(
  before: { readonly name: string; readonly text: string },
  after: { readonly name: string; readonly text: string },
): string {
  if (before.text === after.text) return ''
  const edits = shortestEdits(linesOf(before.text), linesOf(after.text))
  const hunks = hunksOf(edits).map(([from, to]) => hunk(edits, from, to))
  return [`--- ${before.name}`, `+++ ${after.name}`, ...hunks, ''].join('\n')
}

function linesOf(text: string): string[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}

function shortestEdits(before: readonly string[], after: readonly string[]): Edit[] {
  // How far each diagonal got, for every number of changes.
  const history: ReadonlyMap<number, number>[] = []
  let reached: ReadonlyMap<number, number> = new Map([[1, 0]])
  for (let changes = 0; ; changes += 1) {
    history.push(reached)
    const next = new Map(reached)
    for (let diagonal = -changes; diagonal <= changes; diagonal += 2) {
      let { x } = bestStart(reached, diagonal, changes)
      while (x < before.length && x - diagonal < after.length && before[x] === after[x - diagonal]) x += 1
      next.set(diagonal, x)
      if (x >= before.length && x - diagonal >= after.length) return traced(history, before, after)
    }
    reached = next
  }
}

/** Where the next change of this diagonal begins: a line added, or one taken away, from the neighbour that is further. */
function bestStart(
  reached: ReadonlyMap<number, number>,
  diagonal: number,
  changes: number,
): { readonly x: number; readonly adds: boolean } {
  const above = reached.get(diagonal + 1) ?? 0
  const left = reached.get(diagonal - 1) ?? -1
  const adds = diagonal === -changes || (diagonal !== changes && left < above)
  return { x: adds ? above : left + 1, adds }
}

/** From the end back to the beginning, along the path that got there. */
function traced(
  history: readonly ReadonlyMap<number, number>[],
  before: readonly string[],
  after: readonly string[],
): Edit[] {
  const edits: Edit[] = []
  let [x, y] = [before.length, after.length]
  for (const [changes, reached] of [...history.entries()].toReversed()) {
    const start = bestStart(reached, x - y, changes)
    for (; x > start.x; x -= 1, y -= 1) edits.push({ kind: ' ', line: before[x - 1] ?? '' })
    if (changes === 0) break
    if (start.adds) y -= 1
    else x -= 1
    edits.push(start.adds ? { kind: '+', line: after[y] ?? '' } : { kind: '-', line: before[x] ?? '' })
  }
  return edits.toReversed()
}

/** Ranges of edits with their context; changes nearer than twice that share one. */
function hunksOf(edits: readonly Edit[]): [from: number, to: number][] {
  const hunks: [number, number][] = []
  for (const [index, { kind }] of edits.entries()) {
    if (kind === ' ') continue
    const last = hunks.at(-1)
    const [from, to] = [Math.max(0, index - context), Math.min(edits.length, index + context + 1)]
    if (last === undefined || from > last[1]) hunks.push([from, to])
    else last[1] = to
  }
  return hunks
}

function hunk(edits: readonly Edit[], from: number, to: number): string {
  const count = (part: readonly Edit[], without: Edit['kind']): number =>
    part.filter(({ kind }) => kind !== without).length
  const [earlier, own] = [edits.slice(0, from), edits.slice(from, to)]
  const range = (without: Edit['kind']): string => {
    const length = count(own, without)
    const start = count(earlier, without) + (length === 0 ? 0 : 1)
    return length === 1 ? `${start}` : `${start},${length}`
  }
  return [`@@ -${range('+')} +${range('-')} @@`, ...own.map(({ kind, line }) => `${kind}${line}`)].join('\n')
}
