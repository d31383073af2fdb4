#!/usr/bin/env node
// The default import, because older versions lack the named one and would fail before saying why.
import nodeModule from 'node:module'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const argv = process.argv.slice(2)

if (major < 24 || (major === 24 && minor < 15)) {
  console.error(
    `error: k3os-migrate needs Node.js 24.15 or newer; this is ${process.versions.node}\nhint: https://nodejs.org/en/download`,
  )
  process.exitCode = 64
} else if (argv.length === 1 && argv[0] === '--version') {
  // The commonest call of scripts; the parser would take longer than Node itself.
  const { toolVersion } = await import('./version.ts')
  console.log(toolVersion)
} else {
  // Makes every later import cheaper. Not in Node's default place below /tmp, which others may write: code is run from it.
  const { XDG_CACHE_HOME: cache, HOME: home } = process.env
  if (cache !== undefined || home !== undefined)
    nodeModule.enableCompileCache(`${cache ?? `${home}/.cache`}/k3os-migrate/node`)
  const { runCli } = await import('./main.ts')
  process.exitCode = await runCli(argv)
}
