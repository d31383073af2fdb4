#!/usr/bin/env node
import { enableCompileCache } from 'node:module'

// First statement of all: it makes every later import cheaper.
enableCompileCache()

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 24 || (major === 24 && minor < 15)) {
  console.error(`k3os-migrate needs Node.js 24.15 or newer; this is ${process.versions.node}`)
  process.exit(64)
}

const { runCli } = await import('./main.ts')
process.exitCode = await runCli(process.argv.slice(2))
