/**
 * Makes `dist/` from the sources. They are bundled, because start-up is mostly the reading of many small files: one
 * chunk for what every command needs and one for each command, so that `--help` reads the first only. Every chunk lies
 * two folders below `dist/`, as `src/adapters` lies two below the root: `../../templates/` is right in both places.
 */
import { chmodSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Handlebars from 'handlebars'
import { rolldown } from 'rolldown'
import { templateFolder, templateOptions } from '../src/adapters/compile-template.ts'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')

/** Left to `node_modules`: only loaded by commands that wait for the network or a person anyway; ssh2 cannot be bundled. */
const external = [/^@kubernetes\/client-node/, /^undici/, /^ssh2/, /^inquirer/]

rmSync(dist, { recursive: true, force: true })
const bundle = await rolldown({
  input: { cli: join(root, 'src/cli.ts') },
  platform: 'node',
  external,
  plugins: [
    {
      name: 'compiled-templates',
      load: {
        filter: { id: /\/src\/adapters\/compile-template\.ts$/ },
        handler: () => ({ code: compiledTemplates(), moduleType: 'js' }),
      },
    },
  ],
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
  // What nearly every command shares, in few files: each costs about half a millisecond to find and link. The start is first, so
  // that nothing `--help` needs lies in another.
  codeSplitting: {
    groups: [
      { name: 'start', test: /\/src\/main\.ts$/, priority: 4 },
      { name: 'reading', test: /\/src\/core\/k3os\/read\.ts$/, priority: 3 },
      { name: 'yaml', test: /\/src\/core\/yaml-text\.ts$|\/node_modules\/yaml\//, priority: 2 },
      { name: 'translation', test: /\/src\/core\/translate-node\.ts$|\/translators\/linux\//, priority: 1 },
    ],
  },
})
await bundle.close()
chmodSync(join(dist, 'src/cli.js'), 0o755)
for (const folder of ['templates', 'examples'])
  cpSync(join(root, folder), join(dist, folder), {
    recursive: true,
    filter: (file) => !file.endsWith('.hbs'),
  })

const modules = output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []))
writeFileSync(join(dist, 'THIRD-PARTY-NOTICES.txt'), notices(modules))

/** In place of `src/adapters/compile-template.ts`: the same exports that `templates.ts` uses, without the parser. */
function compiledTemplates(): string {
  const folder = fileURLToPath(templateFolder)
  const names = readdirSync(folder, { encoding: 'utf8', recursive: true }).filter((name) =>
    name.endsWith('.hbs'),
  )
  const entries = names.toSorted().map((name) => {
    const spec: unknown = Handlebars.precompile(readFileSync(join(folder, name), 'utf8'), templateOptions)
    // Its types say otherwise; it is the text of a JavaScript object.
    if (typeof spec !== 'string') throw new TypeError(`${name} was not compiled to text`)
    return `${JSON.stringify(name)}: ${spec},`
  })
  return `
    import Handlebars from 'handlebars/runtime.js'
    const compiled = {${entries.join('\n')}}
    export const handlebars = Handlebars.create()
    export function compileTemplate(template) {
      if (!Object.hasOwn(compiled, template)) throw new Error('there is no template ' + template)
      return handlebars.template(compiled[template])
    }`
}

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
