import { exitCode, MigrateError, type Position } from './errors.ts'

/** One node to read over SSH. */
export interface HostEntry {
  /** Given by the user as `name=`; undefined = to be found out from the node. */
  readonly name: string | undefined
  readonly host: string
  /** Undefined = the default of the command. */
  readonly port: number | undefined
}

const form = 'write one host per line: [name=]host[:port], for example n1=10.0.0.5 or [fd00::5]:2222'

/** Text of a hosts file: one host per line, `#` starts a comment. Errors (exit 65) name file and line. */
export function parseHostsFile(text: string, file: string): HostEntry[] {
  const entries = text.split('\n').flatMap((raw, index) => {
    const line = raw.replace(/(^|\s)#.*$/, '').trim()
    return line === '' ? [] : [parseHost(line, { file, line: index + 1 })]
  })
  if (entries.length === 0)
    throw new MigrateError('the hosts file names no host', {
      exitCode: exitCode.badInput,
      hint: form,
      position: { file },
    })
  return entries
}

/** `[name=]host[:port]`. With a position it is a bad file (exit 65), without one a bad argument (exit 64). */
export function parseHost(text: string, position?: Position): HostEntry {
  const fail = (message: string, hint = form): never => {
    throw new MigrateError(message, {
      exitCode: position === undefined ? exitCode.usage : exitCode.badInput,
      hint,
      ...(position === undefined ? {} : { position }),
    })
  }
  if (text.includes('@')) fail(`"${text}" names a user`, 'give the user for all hosts with --user')
  const [, name, address = ''] = /^(?:([^=]*)=)?(.*)$/.exec(text) ?? []
  if (name !== undefined && !/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name))
    fail(`"${name}" is not a node name: letters, digits, dots, dashes`)
  const [, bracketed, plain, portText] =
    /^(?:\[([0-9A-Fa-f:.%a-z]+)\]|([^:[\]]+))(?::(\d+))?$/.exec(address) ?? []
  const bare = /^[0-9A-Fa-f:.]+$/.test(address) && address.split(':').length > 2 ? address : undefined
  const host = bracketed ?? plain ?? bare
  if (host === undefined || !/^[A-Za-z0-9][A-Za-z0-9.:%_-]*$|^::/.test(host))
    return fail(`"${text}" is not a host`)
  const port = portText === undefined ? undefined : Number(portText)
  if (port !== undefined && (port < 1 || port > 65_535)) fail(`"${portText}" is not a port`)
  return { name, host, port }
}
