import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { alpineJudge, judge, missingTools, rootWith, type Verdict } from './judges.ts'
import { judgeOfFiles, judgeOfTexts, type Judge, type Subject } from './questions.ts'
import { tarEntries, type TarEntry } from './tar-listing.ts'

// Alpine's own tools, where Debian has them too, as judges of the overlay for its installer.

const ifquery = alpineJudge('ifquery')
const openrc = alpineJudge('openrc')

/** What is missing of them, as `requirePart` wants it. */
export function missingAlpineTools(): string | undefined {
  return (
    missingTools(['busybox', 'unshare', 'chroot'], 'busybox-static util-linux') ??
    (!existsSync(ifquery) || !existsSync(openrc)
      ? 'ifquery or OpenRC missing: lab/alpine-judges.sh'
      : process.getuid?.() === 0
        ? undefined
        : 'a root of its own needs root')
  )
}

/** Entries of the overlay and of the archive in it: what is on the medium, and what is on the disk. */
export function entriesOfOverlay(overlay: Uint8Array): { medium: TarEntry[]; disk: TarEntry[] } {
  const medium = tarEntries(overlay)
  const inner = medium.find(({ path }) => path.endsWith('root.tar'))
  return { medium, disk: inner === undefined ? [] : tarEntries(inner.content) }
}

/** Our scripts and services, on the medium and on the disk. */
export function scriptsOfOverlay(overlay: Uint8Array): string[] {
  const { medium, disk } = entriesOfOverlay(overlay)
  return [...medium, ...disk].flatMap(({ path, content }) =>
    /^etc\/(?:k3os-migrate\/[^/]+\.sh|local\.d\/k3os-|init\.d\/k3|periodic\/)|^usr\/local\/bin\/sudo$/.test(
      path,
    )
      ? [content.toString('utf8')]
      : [],
  )
}

export const ash: Judge = judgeOfTexts('busybox ash', (texts) =>
  texts.map((text) => judge('busybox', ['ash', '-n'], text)),
)

/** Variables that only OpenRC reads, files that are not here, and words that OpenRC evaluates once more. */
export const openRcScripts = '--exclude=SC2034,SC1090,SC1091,SC2016'

/** What a service asks of others: its `depend`, in a shell that knows only OpenRC's words. */
export const depend: Judge = judgeOfTexts('depend', (services) =>
  services.map((service) => {
    const words = ['need', 'want', 'use', 'after', 'before', 'provide', 'keyword']
    const known = words.map((word) => `${word}() { echo "${word} $*"; }\n`).join('')
    const { accepted, said } = judge('busybox', ['ash', '-eu'], `RC_SVCNAME=x\n${known}${service}\ndepend\n`)
    const asks = /^(?:(?:need|want|after|before) .*\n)+$/.test(said)
    return accepted && asks ? { accepted, said: '' } : { accepted: false, said }
  }),
)

/** Answers for setup-alpine: a shell reads them. */
export const answers: Judge = judgeOfTexts('answers', (texts) =>
  texts.map((text) => {
    const { accepted, said } = judge(
      'busybox',
      ['ash', '-eu'],
      `${text}\nprintf '%s' "$HOSTNAMEOPTS/$DISKOPTS"`,
    )
    return accepted && /^[\w.-]+\/none$/.test(said) ? { accepted, said: '' } : { accepted: false, said }
  }),
)

/** /etc/network/interfaces, as ifupdown-ng reads it. */
export const interfaces: Judge = judgeOfTexts('ifquery', (texts) =>
  texts.map((text) => {
    const root = rootWith([['/interfaces', text]])
    const { accepted, said } = judge(ifquery, ['-i', `${root}/interfaces`, '--list'])
    const listed = said.split('\n').includes('lo')
    return accepted && listed ? { accepted, said: '' } : { accepted: false, said }
  }),
)

/** What ifupdown-ng makes of some ports, one fact a line. */
export function portFacts(text: string, ...ports: readonly string[]): string[] {
  const root = rootWith([['/interfaces', text]])
  return judge(ifquery, ['-i', `${root}/interfaces`, ...ports])
    .said.split('\n')
    .map((line) => line.trim())
}

/** GNU tar and busybox unpack the archive alike. */
export const archive: Judge = judgeOfFiles('tar', (files) => {
  const root = rootWith([['/overlay', files.get('/') ?? '']])
  for (const [folder, program, ...rest] of [
    ['gnu', 'tar'],
    ['busybox', 'busybox', 'tar'],
  ] as const) {
    mkdirSync(join(root, folder))
    const flags = ['-xzf', join(root, 'overlay'), '-C', join(root, folder), '--no-same-owner']
    const verdict = judge(program, [...rest, ...flags])
    if (!verdict.accepted || verdict.said !== '') return { ...verdict, accepted: false }
  }
  return judge('diff', ['-r', '--no-dereference', join(root, 'gnu'), join(root, 'busybox')])
})

/** Services that every Alpine has; what they do does not matter here. */
const alpineServices = [
  ...['bootmisc', 'cgroups', 'hwdrivers', 'local', 'localmount', 'modules', 'sysctl', 'wpa_supplicant'].map(
    (name) => [name, ''] as const,
  ),
  ['networking', 'depend() {\n\tneed localmount\n\tprovide net\n}\n'],
] as const

const rootScript = fileURLToPath(new URL('openrc-root.sh', import.meta.url))

/** Runs commands where these files lie over the root, and OpenRC with the services among them. */
export function underOpenRc(
  files: Iterable<readonly [string, string | Uint8Array, number]>,
  commands: string,
): { status: number | null; said: string } {
  const root = rootWith([
    ...alpineServices.map(
      ([name, body]) => [`/etc/init.d/${name}`, `#!/sbin/openrc-run\n${body}`, 0o755] as const,
    ),
    ...files,
  ])
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    ['-m', '-p', '-f', '-n', 'sh', rootScript, openrc, root, commands],
    { encoding: 'utf8' },
  )
  return { status, said: `${stdout}${stderr}` }
}

/** What each service waits for, and what it needs that is not there; by OpenRC's own reading of them. */
export function dependencies(files: Iterable<readonly [string, string | Uint8Array, number]>): {
  after: Map<string, string[]>
  broken: string[]
} {
  const { said } = underOpenRc(files, '/lib/rc/bin/rc-depend -u >/dev/null 2>&1; cat /run/openrc/deptree')
  const names = new Map(
    [...said.matchAll(/^depinfo_(\d+)_service='(.*)'$/gm)].map(([, at = '', name = '']) => [at, name]),
  )
  const after = new Map([...names.values()].map((name): [string, string[]] => [name, []]))
  for (const [, at = '', other = ''] of said.matchAll(/^depinfo_(\d+)_iafter_\d+='(.*)'$/gm))
    after.get(names.get(at) ?? '')?.push(other)
  const broken = [...said.matchAll(/^depinfo_(\d+)_broken_\d+='(.*)'$/gm)].map(
    ([, at = '', other]) => `${names.get(at)} needs ${other}`,
  )
  return { after, broken }
}

const isService = (path: string): boolean => path.startsWith('etc/init.d/')

/** Services and their settings, as they lie on the disk. */
export function servicesOfOverlay(overlay: Uint8Array): Subject {
  return new Map(
    entriesOfOverlay(overlay).disk.flatMap(({ path, content }): [string, Uint8Array][] =>
      isService(path) || path.startsWith('etc/conf.d/') ? [[`/${path}`, content]] : [],
    ),
  )
}

/** OpenRC finds every service that another needs. */
export const openRc: Judge = judgeOfFiles('OpenRC', (files): Verdict => {
  const { after, broken } = dependencies(
    [...files].map(([path, content]) => [path, content, path.startsWith('/etc/init.d/') ? 0o755 : 0o644]),
  )
  if (!after.has('k3os-migrate-release'))
    return { accepted: false, said: 'our own services are not among them' }
  return { accepted: broken.length === 0, said: broken.join('\n') }
})
