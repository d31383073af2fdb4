#!/usr/bin/env node
// The default import, because older versions lack the named one and would fail before saying why.
import nodeModule from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 24 || (major === 24 && minor < 15)) {
  console.error(
    `error: k3os-migrate needs Node.js 24.15 or newer; this is ${process.versions.node}\nhint: https://nodejs.org/en/download`,
  )
  process.exitCode = 64
} else {
  // Makes every later import cheaper. Not in Node's default place below /tmp: code is run from there.
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  nodeModule.enableCompileCache(join(cache, 'k3os-migrate', 'node'))
  const { runCli } = await import('./main.ts')
  process.exitCode = await runCli(process.argv.slice(2))
}
