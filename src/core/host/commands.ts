import { alpineTools } from '../rules/translate.ts'

/** Words of sh and programs that run the command after them. */
const runners = new Set('if then else elif do while until ! sudo exec nohup time env command eval'.split(' '))

/**
 * Programs a command calls that only k3OS has, by the names of `alpineTools`. Only words in command position count, so that
 * `echo k3os` is none; a name hidden in a variable is not found.
 */
export function alpineToolsIn(command: string): string[] {
  const found = new Set<string>()
  const nested = command.replaceAll(/\b(?:ba|a)?sh\s+-\w*c\s+["']/g, ';')
  for (const simple of nested.split(/[\n;&|(){}`]/)) {
    const name = programOf(simple)
    if (name.startsWith('/etc/init.d/')) found.add('/etc/init.d')
    const base = name.slice(name.lastIndexOf('/') + 1)
    if (Object.hasOwn(alpineTools, base)) found.add(base)
  }
  return [...found]
}

/** Whether a command sets addresses or routes itself, which a network configuration should do. */
export function setsAddresses(command: string): boolean {
  return (
    /\bconnmanctl\s+config\b/.test(command) ||
    /\bip\s+(?:-\S+\s+)*(?:a|addr|address)\s+(?:add|replace|change)\b/.test(command) ||
    /\bip\s+(?:-\S+\s+)*(?:r|route)\s+(?:add|replace|change)\s+default\b/.test(command) ||
    /\bifconfig\s+\S+\s+\d/.test(command)
  )
}

function programOf(simple: string): string {
  const words = simple.trim().split(/\s+/)
  const first = words.find((word) => !runners.has(word) && !/^\w+=/.test(word) && !word.startsWith('-'))
  return (first ?? '').replaceAll(/["']/g, '')
}
