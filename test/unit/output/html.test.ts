import { expect, test } from 'vitest'
import { html } from '../../../src/output/html.ts'

test('text put in is escaped, in content and in attributes', () => {
  expect(html`<p title="${'"><script>'}">${"<b>&'"}</p>`.html).toBe(
    '<p title="&quot;&gt;&lt;script&gt;">&lt;b&gt;&amp;&#39;</p>',
  )
})

test('HTML put in stays, lists are joined, null prints nothing', () => {
  const item = html`<li>${1}</li>`
  expect(html`${[item, '<', null]}${null}.`.html).toBe('<li>1</li>&lt;.')
})

test('direction overrides and control characters are made visible', () => {
  expect(html`${'a\u202eb\u001bc'}`.html).toBe('a\ufffdb\ufffdc')
})
