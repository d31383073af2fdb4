/** HTML text that is safe to embed. Only `html` makes it. */
export interface Html {
  readonly html: string
}

type Value = Html | string | number | null | readonly (Html | string | number | null)[]

/** Template tag: everything put in is escaped, unless it is `Html` itself; lists are joined, null prints nothing. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  let text = ''
  for (const [index, part] of parts.entries()) text += part + print(values[index] ?? null)
  return { html: text }
}

function print(value: Value): string {
  if (value === null) return ''
  if (typeof value === 'string' || typeof value === 'number') return escape(String(value))
  if ('html' in value) return value.html
  return value.map(print).join('')
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

// Direction overrides would let a name show as another one; control characters have no place in HTML at all.
// oxlint-disable-next-line no-control-regex -- finding control characters is the point
const special = /[&<>"'\u0000-\u0008\u000b-\u001f\u007f-\u009f\u{100}-\u{10ffff}]/gu
// oxlint-disable-next-line no-control-regex -- as above
const unsafe = /[\u0000-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]/u

/**
 * Beyond Latin 1 characters are references: the page is right whatever character set a server claims, and a page of a
 * thousand nodes takes half the memory.
 */
function escape(text: string): string {
  return text.replace(special, (character) => {
    const entity = entities[character]
    if (entity !== undefined) return entity
    return `&#${unsafe.test(character) ? 0xfffd : (character.codePointAt(0) ?? 0xfffd)};`
  })
}
