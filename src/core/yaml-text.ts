import { isScalar, stringify } from 'yaml'

const options = { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false } as const

/**
 * One YAML document. Quoted so that YAML 1.1 readers see the same values (`yes`, `1:30`); lines are never folded. The bytes
 * are those of the library, but for characters no reader of Go takes; what needs no thought is written without it, 30 times as
 * fast for a large inventory.
 */
export function yaml(document: unknown): string {
  const lines: string[] = []
  if (!isCollection(document)) return stringify(document, options)
  try {
    writeBlock(document, '', '', lines)
  } catch (error) {
    // A key of many lines has a shape of its own (`? |`), which the library knows.
    if (error === oddKey) return stringify(document, options)
    throw error
  }
  return `${lines.join('\n')}\n`
}

/** Thrown and caught here only. */
const oddKey = new Error('not a simple key')

type Collection = readonly unknown[] | Readonly<Record<string, unknown>>

/** Empty ones are written on the line: `[]`, `{}`. */
function isCollection(value: unknown): value is Collection {
  // A node of the library is a value with a spelling of its own: an octal number.
  if (typeof value !== 'object' || value === null || isScalar(value)) return false
  return Array.isArray(value) ? value.length > 0 : Object.values(value).some((item) => item !== undefined)
}

/** `first` is what stands before the first entry, as wide as `margin`: spaces, or the dash of an item. */
function writeBlock(value: Collection, margin: string, first: string, lines: string[]): void {
  let lead = first
  if (Array.isArray(value)) {
    for (const item of value as readonly unknown[]) {
      if (isCollection(item)) writeBlock(item, `${margin}  `, `${lead}- `, lines)
      else lines.push(`${lead}- ${scalar(item, margin)}`)
      lead = margin
    }
    return
  }
  for (const [name, item] of Object.entries(value)) {
    if (item === undefined) continue
    const key = `${lead}${keyText(name, margin)}:`
    if (isCollection(item)) {
      lines.push(key)
      writeBlock(item, `${margin}  `, `${margin}  `, lines)
    } else lines.push(`${key} ${scalar(item, margin)}`)
    lead = margin
  }
}

const plainText = /^[A-Za-z_/][A-Za-z0-9_./@+-]*$/
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
/** What YAML 1.1 takes for truth values, nothing and numbers (yaml.org/type: bool, null, float). */
const reserved = /^(?:y|n|yes|no|on|off|true|false|null|e[-+]?[0-9]+)$/i

function isPlain(text: string): boolean {
  return (plainText.test(text) && !reserved.test(text)) || uuid.test(text)
}

/** A text of one line that can stand bare as a value, if what makes it something else is not in it. */
const bareText = /^(?:[A-Za-z_/]|--?[a-z])[ -~]*$/
/** Addresses and versions: with one dot it would be a number. */
const dottedText = /^[0-9]+(?:\.[0-9]+){2,}(?:[/:][0-9]{1,5})?$/
const notBare = /: | #|[ :]$|^-e[-+]?[0-9]+$/

function isBare(text: string): boolean {
  return bareText.test(text) ? !notBare.test(text) && !reserved.test(text) : dottedText.test(text)
}

/** Digits and words that YAML 1.1 takes for something else, and texts with what ends one; nothing to escape is in them. */
const quotedText =
  /^(?:[0-9]*|[Yy]|[Yy]es|YES|[Nn]|[Nn]o|NO|[Tt]rue|TRUE|[Ff]alse|FALSE|[Oo]n|ON|[Oo]ff|OFF|[Nn]ull|NULL|[A-Za-z][ !#-&(-[\]-~]*(?:: | #)[ !#-&(-[\]-~]*)$/

const blankLines = /^(?=[^ \t]*[ \t])[ \t\n]*\n[ \t\n]*$/

/**
 * Lines of text as a literal block below `margin`; undefined for what needs more thought: blanks at its beginning or end, and
 * characters that have to be escaped.
 */
function literal(text: string, margin: string): string | undefined {
  if (!/^[^ \t\n][\t\n -~\u00a0-\ud7ff\ue000-\ufffd]*[^ \t\n]\n?$/.test(text) || !text.includes('\n'))
    return undefined
  const isWhole = text.endsWith('\n')
  const body = (isWhole ? text.slice(0, -1) : text).replaceAll(/\n(?!\n)/g, `\n${margin}  `)
  return `${isWhole ? '|' : '|-'}\n${margin}  ${body}`
}

/** What YAML must not contain as it is (YAML 1.2, 5.1), and what YAML 1.1 takes for line ends. The library writes them bare. */
const unwritable = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g

/** Undefined when all of the text may stand in a document. */
function escaped(text: string): string | undefined {
  if (text.search(unwritable) === -1) return undefined
  return JSON.stringify(text).replaceAll(
    unwritable,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** At the margin some names must be quoted that may stand bare elsewhere: `...` ends a document there. */
function keyText(name: string, margin: string): string {
  if (isPlain(name)) return name
  const spelled = escaped(name)
  if (spelled !== undefined) return spelled
  const begin = margin === '' ? '' : 'a:\n  '
  const text = stringify(margin === '' ? { [name]: 0 } : { a: { [name]: 0 } }, options)
  if (!text.endsWith(': 0\n') || text.startsWith('? ', begin.length)) throw oddKey
  return text.slice(begin.length, -': 0\n'.length)
}

/** As YAML 1.1 has them: with a leading zero. */
function octal(value: number): string {
  return `${value < 0 ? '-' : ''}0${Math.abs(value).toString(8)}`
}

function scalar(value: unknown, margin: string): string {
  if (typeof value === 'string') {
    if (isPlain(value) || isBare(value)) return value
    if (quotedText.test(value)) return `"${value}"`
    // The library writes a block of nothing but blanks, of which readers see less than was written.
    if (blankLines.test(value)) return JSON.stringify(value)
  }
  if (typeof value === 'boolean' || value === null) return String(value)
  if (isScalar(value) && value.format === 'OCT' && Number.isSafeInteger(value.value))
    return octal(Number(value.value))
  const spelled = typeof value === 'string' ? escaped(value) : undefined
  if (spelled !== undefined) return spelled
  const block = typeof value === 'string' ? literal(value, margin) : undefined
  if (block !== undefined) return block
  if (typeof value === 'number' && Number.isSafeInteger(value) && !Object.is(value, -0)) return String(value)
  const [head = '', ...body] = stringify([value], options).slice('- '.length, -1).split('\n')
  return [head, ...body.map((line) => (line === '' ? '' : `${margin}${line}`))].join('\n')
}
