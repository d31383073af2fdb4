/** Byte order of the UTF-8 text, as Go sorts strings; UTF-16 order differs beyond the basic plane. */
export function compareBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index += 1) {
    const left = a.charCodeAt(index)
    const right = b.charCodeAt(index)
    if (left !== right) {
      // Surrogates stand for characters above all others but have smaller code units than U+E000 and up.
      const leftRank = isSurrogate(left) ? left + 0x10000 : left
      const rightRank = isSurrogate(right) ? right + 0x10000 : right
      return leftRank - rightRank
    }
  }
  return a.length - b.length
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff
}
