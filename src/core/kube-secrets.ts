/**
 * k3s publishes its arguments and environment as annotations of the Node, with secret values masked. Its list of secret
 * flags grew over the years (k3s-io/k3s pkg/nodeconfig/nodeconfig.go), so an old release shows what a newer one hides:
 * mask once more before anything keeps the annotation.
 */

const mask = '********'
const secretName =
  /token|secret|password|passphrase|passwd|(data)?stor(e|age)[-_]endpoint|access[-_]key|private[-_]key|credential/i
const fileName = /[-_]file$/i

export function maskK3sAnnotations(annotations: Readonly<Record<string, string>>): Record<string, string> {
  const masked = { ...annotations }
  for (const [key, apply] of Object.entries({ 'k3s.io/node-args': maskArgs, 'k3s.io/node-env': maskEnv })) {
    const value = annotations[key]
    if (value !== undefined) masked[key] = apply(value)
  }
  return masked
}

function maskArgs(json: string): string {
  const args = parseJson(json)
  return Array.isArray(args) ? JSON.stringify(maskArguments(args.map(String))) : mask
}

/** Arguments of k3s with the values of secret flags masked, whichever way they are written. */
export function maskArguments(words: readonly string[]): string[] {
  let hideNext = false
  return words.map((word) => {
    if (hideNext) {
      hideNext = false
      return mask
    }
    if (!word.startsWith('-')) return withoutUser(word)
    const [flag, value] = splitOnce(word, '=')
    if (!isSecret(flag) && !/^--?t$/.test(flag)) return withoutUser(word)
    if (value !== undefined) return `${flag}=${mask}`
    hideNext = true
    return word
  })
}

function maskEnv(json: string): string {
  const environment = parseJson(json)
  if (typeof environment !== 'object' || environment === null) return mask
  return JSON.stringify(
    Object.fromEntries(
      Object.entries(environment).map(([name, value]) => [name, maskVariable(name, String(value))]),
    ),
  )
}

export function maskVariable(name: string, value: string): string {
  return isSecret(name) ? mask : withoutUser(value)
}

/** `http://user:password@proxy:3128`: a proxy's password is one too. */
function withoutUser(text: string): string {
  return text.replaceAll(/(:\/\/)[^\s/@]*@/g, `$1${mask}@`)
}

function isSecret(name: string): boolean {
  return secretName.test(name) && !fileName.test(name)
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}

/** undefined for what is not JSON: such an annotation is masked as a whole. */
function parseJson(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
