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

test('direction overrides, control characters and halves of pairs are made visible', () => {
  expect(html`${'a\u202eb\u001bc\ud83d'}`.html).toBe('a&#65533;b&#65533;c&#65533;')
})

test('what is beyond Latin 1 becomes a reference, one for each character', () => {
  expect(html`${'é – 店 🛒'}`.html).toBe('é &#8211; &#24215; &#128722;')
})
