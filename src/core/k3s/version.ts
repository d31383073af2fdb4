/**
 * Where a k3s version (`v1.22.2+k3s2`, `v1.17.0+k3s.1`, `1.20.4`) stands relative to `major.minor.patch`. What follows the
 * numbers does not count here: `v1.19.1-rc1+k3s1` already has what v1.19.1 brought. Null when it is no version.
 */
export function versionAtLeast(version: string, minimum: string): boolean | null {
  const have = numbers(version)
  const want = numbers(minimum)
  if (have === null || want === null) return null
  for (const [index, part] of have.entries()) {
    const other = want[index] ?? 0
    if (part !== other) return part > other
  }
  return true
}

function numbers(version: string): number[] | null {
  const match = /^v?(\d+)\.(\d+)\.(\d+)(?![\d.])/.exec(version)
  return match === null ? null : match.slice(1).map(Number)
}
