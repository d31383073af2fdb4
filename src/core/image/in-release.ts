import { exitCode, MigrateError } from '../errors.ts'

/** What the head of a Debian `InRelease` says. Not a proof: apt verifies the signature of the one that it uses. */
export interface InRelease {
  readonly codename: string
  /** As the mirror writes it: `Sat, 21 Nov 2026 09:15:44 UTC`. */
  readonly date: string
  readonly architectures: readonly string[]
  readonly components: readonly string[]
}

/** Exit 65 when the text is none, as from a captive portal. */
export function readInRelease(text: string, uri: string): InRelease {
  const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(text)?.[1]?.trim() ?? ''
  const date = field('Date')
  if (field('Codename') === '' || date === '')
    throw new MigrateError(`what ${uri} answers is no list of a Debian release`, {
      exitCode: exitCode.badInput,
      hint: 'is it a mirror of Debian? Another one: --mirror URL',
    })
  return {
    codename: field('Codename'),
    date,
    architectures: field('Architectures').split(/\s+/),
    // Security lists them as updates/main.
    components: field('Components')
      .split(/\s+/)
      .map((each) => each.replace(/^updates\//, '')),
  }
}

/** Exit 65 when the mirror has something else than is asked for. */
export function requireRelease(
  { codename, architectures, components }: InRelease,
  wanted: {
    readonly uri: string
    readonly suite: string
    readonly architecture: string
    readonly components: readonly string[]
  },
): void {
  const refuse = (why: string): never => {
    throw new MigrateError(`${wanted.uri} ${why}`, {
      exitCode: exitCode.badInput,
      hint: 'name another mirror of Debian: --mirror URL, --security-mirror URL',
    })
  }
  if (codename !== wanted.suite) refuse(`gives ${codename} when asked for ${wanted.suite}`)
  if (!architectures.includes(wanted.architecture))
    refuse(`has no packages for ${wanted.architecture} in ${wanted.suite}`)
  for (const component of wanted.components)
    if (!components.includes(component)) refuse(`has no ${component} in ${wanted.suite}`)
}
