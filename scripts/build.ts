/**
 * Makes `dist/` from the sources. They are bundled, because start-up is mostly the reading of many small files: one
 * chunk for what every command needs and one for each command, so that `--help` reads the first only. Every chunk lies
 * two folders below `dist/`, as `src/adapters` lies two below the root: `../../templates/` is right in both places.
 */
import { chmodSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rolldown } from 'rolldown'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')

/** Left to `node_modules`: only loaded by commands that wait for the network or a person anyway; ssh2 cannot be bundled. */
const external = [/^@kubernetes\/client-node/, /^undici/, /^ssh2/, /^inquirer/]

rmSync(dist, { recursive: true, force: true })
const bundle = await rolldown({
  input: { cli: join(root, 'src/cli.ts') },
  platform: 'node',
  external,
  preserveEntrySignatures: 'allow-extension',
  onLog(level, log) {
    if (level === 'warn') throw new Error(`rolldown: ${log.message}`)
  },
})
const { output } = await bundle.write({
  dir: join(dist, 'src'),
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/[name].js',
})
await bundle.close()
chmodSync(join(dist, 'src/cli.js'), 0o755)
for (const folder of ['templates', 'examples'])
  cpSync(join(root, folder), join(dist, folder), { recursive: true })

const modules = output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []))
writeFileSync(join(dist, 'THIRD-PARTY-NOTICES.txt'), notices(modules))

/** The licences of what was bundled: their texts must go where the code goes. */
function notices(moduleIds: readonly string[]): string {
  const packages = moduleIds.flatMap(
    (id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id.replaceAll('\0', ''))?.[0] ?? [],
  )
  return [...new Set(packages)].toSorted().map(notice).join('\n\n')
}

function notice(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
  if (file === undefined) throw new Error(`${name} is bundled and has no licence file`)
  const text = readFileSync(join(folder, file), 'utf8').trim()
  return `${name} ${version} (${license})\n\n${text}\n`
}
