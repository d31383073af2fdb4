/**
 * Whether a suite must be skipped because a real part that it needs is missing; `missing` says why, and what to run.
 * A person who has not built the part sees one line. Where the part is promised (`REQUIRE_KUBE=1` for the part `KUBE`),
 * its absence is a failure: a suite that never runs proves nothing.
 */
export function requirePart(part: string, missing: string | undefined): boolean {
  if (missing === undefined) return false
  if (process.env[`REQUIRE_${part}`] === '1') throw new Error(`REQUIRE_${part}=1, but ${missing}`)
  process.stderr.write(`skipped: ${missing}\n`)
  return true
}
