import { sh } from '../core/shell.ts'
import type { TranslateTools } from '../core/translation.ts'
import { compileTemplate, handlebars } from './compile-template.ts'

handlebars.registerHelper('sh', (value: unknown) => sh(String(value)))

/**
 * Renders shell scripts and units from `templates/`. Nothing is escaped, and a variable that is missing throws; a value
 * in shell text goes through `{{sh value}}`. YAML and JSON are serialised, never rendered here.
 */
export function templateTools(): TranslateTools {
  const compiled = new Map<string, ReturnType<typeof compileTemplate>>()
  return {
    render(template, data) {
      const run = compiled.get(template) ?? compileTemplate(template)
      compiled.set(template, run)
      return run(data)
    },
  }
}
