const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** `812 B`, `1.2 GiB`: three digits are enough to decide by. */
export function sizeText(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1
  return `${value.toFixed(digits).replace(/\.0$/, '')} ${units[unit] ?? ''}`
}
