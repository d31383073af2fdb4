import { readFileSync } from 'node:fs'
import Handlebars from 'handlebars'

export const templateFolder = new URL('../../templates/', import.meta.url)

export const templateOptions = {
  noEscape: true,
  strict: true,
  knownHelpers: { sh: true },
  knownHelpersOnly: true,
} as const

export const handlebars = Handlebars.create()

/**
 * A template by its path below `templates/`. The build puts a module in place of this file that has them all compiled
 * (`scripts/build.ts`): Handlebars' parser would take a tenth of the time of a translation.
 */
export function compileTemplate(template: string): Handlebars.TemplateDelegate {
  return handlebars.compile(readFileSync(new URL(template, templateFolder), 'utf8'), templateOptions)
}
