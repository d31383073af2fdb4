import { exitCode, MigrateError, type Position } from './errors.ts'

/** One node to read over SSH. */
export interface HostEntry {
  /** Given by the user as `name=`; undefined = to be found out from the node. */
  readonly name: string | undefined
  /** Undefined = the default of the command, as for the port. */
  readonly user: string | undefined
  readonly host: string
  readonly port: number | undefined
}

const form = 'a host is [name=][user@]host[:port], for example 10.0.0.5, n1=10.0.0.5 or [fd00::5]:2222'

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

/** `[name=][user@]host[:port]`. With a position it is a bad file (exit 65), without one a bad argument (exit 64). */
export function parseHost(text: string, position?: Position): HostEntry {
  const fail = (message: string): never => {
    throw new MigrateError(message, {
      exitCode: position === undefined ? exitCode.usage : exitCode.badInput,
      hint: form,
      ...(position === undefined ? {} : { position }),
    })
  }
  const [, name, user, address = ''] = /^(?:([^=@]*)=)?(?:([^@]*)@)?(.*)$/.exec(text) ?? []
  if (user !== undefined && !/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(user)) fail(`"${user}" is not a user name`)
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
  return { name, user, host, port }
}
