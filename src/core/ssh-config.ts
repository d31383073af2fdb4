/** What OpenSSH's `~/.ssh/config` says, as far as it is understood here: ssh_config(5). */
export interface SshConfig {
  readonly blocks: readonly Block[]
  /** Parts that are not understood and that every host may depend on: `config:3: Match`. */
  readonly leftOut: readonly string[]
}

interface Block {
  /** Patterns of the `Host` line; `*` for what stands before the first one. */
  readonly patterns: readonly string[]
  readonly settings: readonly Setting[]
}

interface Setting {
  /** Lower case. */
  readonly keyword: string
  readonly value: string
  readonly at: string
}

/** The way to one host. Undefined = the file does not say. */
export interface SshWay {
  readonly hostName: string | undefined
  readonly user: string | undefined
  readonly port: number | undefined
  /** `~` and `%d` stand for the home directory still. */
  readonly identityFiles: readonly string[]
  /** `[user@]host[:port]`, one hop each, the first first. */
  readonly jumps: readonly string[]
  /** Settings for this host without which it cannot be reached as OpenSSH would: `config:7: ProxyCommand`. */
  readonly unsupported: readonly string[]
}

const noWay: SshWay = {
  hostName: undefined,
  user: undefined,
  port: undefined,
  identityFiles: [],
  jumps: [],
  unsupported: [],
}

/** Changes who answers at the other end or whether it is believed, so it must not be ignored. */
const needed = new Set(['proxycommand', 'hostkeyalias', 'certificatefile', 'pkcs11provider'])

export function parseSshConfig(text: string, file: string): SshConfig {
  const blocks: { patterns: readonly string[]; settings: Setting[] }[] = [{ patterns: ['*'], settings: [] }]
  const leftOut: string[] = []
  let skipping = false
  for (const [index, raw] of text.split('\n').entries()) {
    const [, keyword = '', rest = ''] = /^\s*([A-Za-z0-9]+)(?:\s*=\s*|\s+)(.*?)\s*$/.exec(raw) ?? []
    const name = keyword.toLowerCase()
    const at = `${file}:${index + 1}: ${keyword}`
    if (name === '') continue
    if (name === 'host') {
      blocks.push({ patterns: words(rest), settings: [] })
      skipping = false
    } else if (name === 'match') {
      // Its conditions may run programs; what it says holds for nobody here.
      skipping = true
      leftOut.push(at)
    } else if (name === 'include') leftOut.push(at)
    else if (!skipping) blocks.at(-1)?.settings.push({ keyword: name, value: words(rest).join(' '), at })
  }
  return { blocks, leftOut }
}

/** The first value that is found counts; only identity files add up. */
export function sshWay(config: SshConfig | undefined, host: string): SshWay {
  if (config === undefined) return noWay
  const settings = config.blocks
    .filter(({ patterns }) => matchesHost(patterns, host))
    .flatMap((block) => block.settings)
  const first = (keyword: string): string | undefined =>
    settings.find((setting) => setting.keyword === keyword)?.value
  const port = Number(first('port'))
  const jumps = first('proxyjump') ?? 'none'
  return {
    hostName: first('hostname')?.replaceAll('%h', host).replaceAll('%%', '%'),
    user: first('user'),
    port: Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : undefined,
    identityFiles: settings
      .filter(({ keyword, value }) => keyword === 'identityfile' && value.toLowerCase() !== 'none')
      .map(({ value }) => value),
    jumps: jumps.toLowerCase() === 'none' ? [] : jumps.split(',').map((jump) => jump.trim()),
    unsupported: settings
      .filter(({ keyword, value }) => needed.has(keyword) && value.toLowerCase() !== 'none')
      .map(({ at }) => at),
  }
}

/** Blanks separate, double quotes hold together; a comment begins at a word that starts with `#`. */
function words(text: string): string[] {
  const all = [...text.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
  const comment = all.findIndex((word) => word.startsWith('#'))
  return comment === -1 ? all : all.slice(0, comment)
}

function matchesHost(patterns: readonly string[], host: string): boolean {
  const matches = (pattern: string): boolean => {
    const source = pattern
      .replaceAll(/[$()+.[\\\]^{|}]/g, String.raw`\$&`)
      .replaceAll('*', '.*')
      .replaceAll('?', '.')
    return new RegExp(`^${source}$`, 'i').test(host)
  }
  // A negated pattern that matches wins over all others.
  if (patterns.some((pattern) => pattern.startsWith('!') && matches(pattern.slice(1)))) return false
  return patterns.some((pattern) => !pattern.startsWith('!') && matches(pattern))
}
