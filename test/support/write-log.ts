import { closeSync, openSync, readSync, statSync, writeSync } from 'node:fs'

/**
 * The log of a disk that QEMU's `blklogwrites` keeps, in the form of the kernel's dm-log-writes: a head, then for each request one
 * sector with place, length and flags, and what was written (torvalds/linux drivers/md/dm-log-writes.c).
 */

const sector = 512
const magic = 0x6a_73_66_77_73_68_72n
const flags = { flush: 1n, fua: 2n, discard: 4n }

/**
 * Writes the log onto an image of the disk as it was at the beginning, and stops at each point where everything before has reached
 * the disk: a power cut right there may lose whatever comes after it, and nothing else. `at` counts bytes of the log.
 */
export function* flushPoints(imageFile: string, logFile: string): Generator<{ readonly at: number }> {
  const log = openSync(logFile, 'r')
  const image = openSync(imageFile, 'r+')
  try {
    const head = Buffer.alloc(sector)
    readSync(log, head, 0, sector, 0)
    if (head.readBigUInt64LE(0) !== magic) throw new Error(`${logFile} is no log of writes`)
    const size = statSync(logFile).size
    for (let at = sector; at + sector <= size;) {
      readSync(log, head, 0, sector, at)
      const place = Number(head.readBigUInt64LE(0)) * sector
      const length = Number(head.readBigUInt64LE(8)) * sector
      const kind = head.readBigUInt64LE(16)
      at += sector
      if ((kind & flags.flush) !== 0n) yield { at }
      if ((kind & flags.discard) === 0n && length > 0) {
        if (at + length > size) return
        copy(log, at, image, place, length)
        at += length
      }
      if ((kind & flags.fua) !== 0n) yield { at }
    }
  } finally {
    closeSync(log)
    closeSync(image)
  }
}

function copy(from: number, fromAt: number, to: number, toAt: number, length: number): void {
  const part = Buffer.alloc(Math.min(length, 2 ** 20))
  for (let done = 0; done < length;) {
    const read = readSync(from, part, 0, Math.min(part.length, length - done), fromAt + done)
    if (read === 0) throw new Error('the log ends in the middle')
    writeSync(to, part, 0, read, toAt + done)
    done += read
  }
}
