import { finding, type Finding, type Result, type Rule, type Severity } from '../findings.ts'
import type { ConfigPath } from '../path.ts'
import { configRules } from '../rules/config.ts'
import type { Place } from './reading.ts'

export type ConfigRule = keyof typeof configRules

/** Collects findings about one configuration; the subject is always the file the text stands in. */
export class ConfigFindings {
  readonly list: Finding[] = []
  private readonly keys = new Map<string, number>()

  add<Id extends ConfigRule>(
    id: Id,
    facts: (typeof configRules)[Id] extends Rule<infer Facts> ? Facts : never,
    place: Place,
    path: ConfigPath | null,
    more: { readonly severity?: Severity; readonly name?: string; readonly result?: Result } = {},
  ): void {
    const rule = configRules[id] as Rule<typeof facts>
    const found = finding(id, rule, facts, {
      subject: { kind: 'Configuration', name: place.file },
      location: { ...place, path },
      ...(more.severity === undefined ? {} : { severity: more.severity }),
      ...(more.result === undefined ? {} : { result: more.result }),
      ...(more.name === undefined ? {} : { discriminator: more.name }),
    })
    const count = (this.keys.get(found.key) ?? 0) + 1
    this.keys.set(found.key, count)
    this.list.push(count === 1 ? found : { ...found, key: `${found.key}#${count}` })
  }
}
