/**
 * The reimage hook of the spine suite, a program of its own as a user's would be: hands what it was told to the server
 * that plays the machines. It also does what hooks do: it talks, and says more than it should.
 */
import { readFile } from 'node:fs/promises'

const [, , server, ...talk] = process.argv
const { K3OS_MIGRATE_INPUT: inputFile, K3OS_MIGRATE_KEEP_DATA: keep } = process.env
if (server === undefined || inputFile === undefined)
  throw new Error('usage: hook SERVER, from k3os-migrate apply')

const input = JSON.parse(await readFile(inputFile, 'utf8')) as { seed: string; node: string }
process.stdout.write(`rebuilding ${input.node}\n`)
for (const line of talk) process.stderr.write(`${line}\n`)
process.stdout.write(await readFile(`${input.seed}/user-data`, 'utf8'))

const answer = await fetch(server, {
  method: 'POST',
  body: JSON.stringify({ ...input, keepsData: keep === '1' }),
})
process.stdout.write(`${await answer.text()}\n`)
process.exitCode = answer.ok ? 0 : 1
