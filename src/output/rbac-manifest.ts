import { Document, isMap, isSeq } from 'yaml'
import type { RbacObject } from '../core/rbac.ts'

/** YAML documents for `kubectl apply -f -`, with the reason above each rule. `head` is a comment at the top, line by line. */
export function rbacManifest(objects: readonly RbacObject[], head: readonly string[]): string {
  const documents = objects.map(({ object, reasons }) => {
    const document = new Document(object, { version: '1.1' })
    const rules = document.get('rules')
    if (isSeq(rules))
      for (const [index, rule] of rules.items.entries())
        if (isMap(rule)) rule.commentBefore = ` ${reasons[index] ?? ''}`
    return document.toString({ lineWidth: 0 })
  })
  return `${head.map((line) => `# ${line}\n`).join('')}${documents.join('---\n')}`
}
