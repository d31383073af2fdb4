/** XML text that is safe to embed. Only `xml` makes it. */
export interface Xml {
  readonly xml: string
}

type Value = Xml | string | number | null | readonly (Xml | string | number | null)[]

/** Template tag: everything put in is escaped, unless it is `Xml` itself; lists are joined, null prints nothing. */
export function xml(parts: TemplateStringsArray, ...values: readonly Value[]): Xml {
  const text = parts.map((part, index) => part + (index < values.length ? print(values[index] ?? null) : ''))
  return { xml: text.join('') }
}

function print(value: Value): string {
  if (value === null) return ''
  if (typeof value === 'string' || typeof value === 'number') return escape(String(value))
  if ('xml' in value) return value.xml
  return value.map(print).join('')
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  // Attribute values would lose these to white space otherwise.
  '\n': '&#10;',
  '\t': '&#9;',
  '\r': '&#13;',
}

// XML 1.0 forbids most control characters even as references, and half of a surrogate pair is no character at all.
const unsafe =
  // oxlint-disable-next-line no-control-regex -- finding control characters is the point
  /[&<>"'\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

function escape(text: string): string {
  return text.replace(unsafe, (character) => entities[character] ?? '\ufffd')
}
