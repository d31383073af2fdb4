import { asWritten, type Value } from './value.ts'

/** How a value lost its place in the result. */
export type Loss =
  /** A source of higher precedence has the same setting. */
  | 'later-source'
  /** Another spelling of the same setting in the same source, always stronger. */
  | 'other-spelling'
  /** Another spelling in the same source, and k3OS picks one by chance. */
  | 'random'
  /** A spelling that only encoding/json knows, decoded later. */
  | 'letter-case'
  /** The all-lower-case spelling, decoded last whatever its source. */
  | 'lower-case'

export interface Choice {
  readonly winner: Value
  readonly loser: Value
}

export interface Replacement {
  readonly how: Loss
  readonly by: Value
}

/**
 * Who took whose place while sources were read and merged, by the values as they were written. Nothing is decided from
 * it; it is there so that every lost value can be explained.
 */
export class Ledger {
  /** Every time k3OS let chance decide between spellings. */
  readonly choices: Choice[] = []
  private readonly replaced = new Map<Value, Replacement>()
  private losers: Map<Value | undefined, Value[]> | null = null

  replace(lost: Value, how: Loss, by: Value): void {
    if (lost.kind === 'table' && lost.parts !== undefined) {
      for (const part of lost.parts) this.replace(part, how, by)
      return
    }
    const key = asWritten(lost)
    const winner = asWritten(by)
    // The last replacement is the one that counts: the first one may have been replaced in turn.
    if (key !== winner) this.replaced.set(key, { how, by: winner })
  }

  choose(winner: Value, loser: Value): void {
    this.choices.push({ winner: asWritten(winner), loser: asWritten(loser) })
    this.replace(loser, 'random', winner)
  }

  replacementOf(value: Value): Replacement | undefined {
    return this.replaced.get(asWritten(value))
  }

  /** What lost its place to a value, directly or through others, oldest first. */
  lostTo(value: Value): Value[] {
    this.losers ??= Map.groupBy(this.replaced.keys(), (lost) => this.replaced.get(lost)?.by)
    const found = new Set<Value>()
    const visit = (winner: Value): void => {
      for (const lost of this.losers?.get(winner) ?? [])
        if (lost !== asWritten(value) && !found.has(lost)) {
          visit(lost)
          found.add(lost)
        }
    }
    visit(asWritten(value))
    return [...found]
  }
}
