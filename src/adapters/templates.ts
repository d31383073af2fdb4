import { readFileSync } from 'node:fs'
import Handlebars from 'handlebars'
import { sh } from '../core/shell.ts'
import type { TranslateTools } from '../core/translation.ts'

// The same distance from `src/adapters` and `dist/src/adapters`, beside which the build puts a copy.
const folder = new URL('../../templates/', import.meta.url)

/**
 * Renders shell scripts and units from `templates/`. Nothing is escaped, and a variable that is missing throws; a value
 * in shell text goes through `{{sh value}}`. YAML and JSON are serialised, never rendered here.
 */
export function templateTools(): TranslateTools {
  const handlebars = Handlebars.create()
  handlebars.registerHelper('sh', (value: unknown) => sh(String(value)))
  const compiled = new Map<string, Handlebars.TemplateDelegate>()
  return {
    render(template, data) {
      const known = compiled.get(template)
      const run =
        known ??
        handlebars.compile(readFileSync(new URL(template, folder), 'utf8'), {
          noEscape: true,
          strict: true,
          knownHelpers: { sh: true },
          knownHelpersOnly: true,
        })
      compiled.set(template, run)
      return run(data)
    },
  }
}
