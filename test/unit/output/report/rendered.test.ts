import { expect, test } from 'vitest'
import { reportHtml } from '../../../../src/output/report/report-html.ts'
import { reportMarkdown } from '../../../../src/output/report/report-markdown.ts'
import { runReport, type RunDocuments } from '../../../../src/output/report/run-report.ts'
import { stoppedRun } from './builders.ts'

const renderers = { html: reportHtml, markdown: reportMarkdown }

function page(changes: Partial<RunDocuments> = {}): string {
  return reportHtml(runReport(stoppedRun(changes)))
}

test('the page loads nothing and runs nothing', () => {
  const text = page()
  expect(text).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|\son[a-z]+=/i)
  expect(text).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`)
})

test('hostile names stay text', () => {
  const name = '<script>alert(1)</script>"onload="x'
  const { outcome } = stoppedRun()
  const [first, ...rest] = outcome.nodes
  const nodes = first === undefined ? [] : [{ ...first, name, reason: '<img src=x>' }, ...rest]
  const text = page({ outcome: { ...outcome, nodes, next: '</pre><script>' } })
  expect(text).not.toMatch(/<script|<img/)
  expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;&quot;onload=&quot;x')
})

test('every link has its target, every table its header cells, and headings go down one by one', () => {
  const text = page()
  const ids = new Set([...text.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id))
  const links = [...text.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id)
  expect(links.filter((id) => !ids.has(id))).toEqual([])
  expect(text.match(/<table/g)?.length).toBe(text.match(/<thead>/g)?.length)
  const levels = [...text.matchAll(/<h(\d)/g)].map(([, level]) => Number(level))
  expect(levels.filter((level, index) => level > (levels[index - 1] ?? 0) + 1)).toEqual([])
})

test.each(Object.entries(renderers))('%s says the answer, what was done and what to do next', (_, render) => {
  const text = render(runReport(stoppedRun()))
  for (const part of [
    '1 of 3 nodes moved.',
    'k3os-migrate resume 01a0b2c3',
    'Debian GNU/Linux 13',
    'Undo: uncordon a2',
    'shop/web-2 could not be evicted in 30m: budget shop/web',
    'a shell left open',
    'PRE-CLOCK',
    stoppedRun().journal.records.at(-1)?.hash ?? 'no hash',
  ])
    expect(text).toContain(part)
})

test.each(Object.entries(renderers))(
  '%s works without plan, inventory and assessment, and says so',
  (_, render) => {
    const without = {
      plan: null,
      inventory: null,
      assessment: null,
      missing: ['plan.json', 'inventory.yaml'],
    }
    const text = render(runReport(stoppedRun(without)))
    expect(text).toContain('There is no plan in the run directory.')
    expect(text).toContain('There is no inventory in the run directory.')
    expect(text).toContain('plan.json, inventory.yaml')
  },
)

test.each(Object.entries(renderers))('%s is the same for the same run', (_, render) => {
  expect(render(runReport(stoppedRun()))).toBe(render(runReport(stoppedRun())))
})
