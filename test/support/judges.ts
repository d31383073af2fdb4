import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

// Programs of the targets that say what they think of what we emit, and the golden cases that go in.

export interface Verdict {
  readonly accepted: boolean
  readonly said: string
}

const golden = fileURLToPath(new URL('../golden/translate/', import.meta.url))

/** Cases for which the target has this file. */
export function goldenCases(target: string, file: string): string[] {
  return readdirSync(golden).filter((name) => existsSync(goldenFile(name, target, file)))
}

export function goldenFile(name: string, target: string, file: string): string {
  return `${golden}${name}/expect/${target}/${file}`
}

export function goldenFolder(name: string): string {
  return `${golden}${name}`
}

/** What is missing of these programs, as `requirePart` wants it. */
export function missingTools(tools: readonly string[], packages: string): string | undefined {
  const absent = tools.filter((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0)
  return absent.length === 0
    ? undefined
    : `${absent.join(', ')} missing: apt-get install --no-install-recommends ${packages}`
}

export function judge(program: string, args: readonly string[], input?: string): Verdict {
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    ...(input === undefined ? {} : { input }),
  })
  return { accepted: status === 0, said: `${stdout}${stderr}` }
}

const scratch = mkdtempSync(join(tmpdir(), 'k3os-migrate-judges-'))
process.on('exit', () => {
  rmSync(scratch, { recursive: true, force: true })
})
let folders = 0

/** A new folder with these files; 0600, or 0755 where programs lie, unless a mode is given. */
export function rootWith(
  files: Iterable<readonly [path: string, content: string | Uint8Array, mode?: number]>,
): string {
  folders += 1
  const root = join(scratch, String(folders))
  mkdirSync(root)
  for (const [path, content, mode] of files) {
    mkdirSync(dirname(`${root}${path}`), { recursive: true })
    writeFileSync(`${root}${path}`, content, { mode: mode ?? (path.includes('bin/') ? 0o755 : 0o600) })
  }
  return root
}

/** Stand-ins for the programs that our units call; systemd-analyze asks whether they exist. */
export const unitPrograms: readonly (readonly [string, string])[] = [
  '/usr/local/bin/k3s',
  '/opt/bin/k3s',
  '/bin/sh',
  '/bin/rm',
  '/sbin/modprobe',
  '/usr/sbin/chpasswd',
].map((path) => [path, '#!/bin/sh\n'])

const isUnit = (path: string): boolean => /^\/etc\/systemd\/system\/[^/]+\.(?:service|path)$/.test(path)

/**
 * Without `--recursive-errors` systemd-analyze ends with 0 even for keys it does not know. Files by path; the units among
 * them are judged.
 */
export function judgeUnits(files: ReadonlyMap<string, string | Uint8Array>): Verdict {
  const root = rootWith([...unitPrograms, ...files])
  const units = [...files.keys()].filter(isUnit)
  if (units.length === 0) return { accepted: false, said: 'there are no units' }
  return judge('systemd-analyze', ['verify', '--man=no', '--recursive-errors=no', `--root=${root}`, ...units])
}

/** Many scripts at once, each judged by itself. */
export function shellcheckAll(
  scripts: readonly string[],
  shell: 'sh' | 'bash',
  ...options: readonly string[]
): Verdict[] {
  const root = rootWith(scripts.map((script, index) => [`/${index}`, script]))
  const paths = scripts.map((_, index) => `${root}/${index}`)
  const { accepted, said } = judge('shellcheck', ['-f', 'gcc', '-s', shell, ...options, ...paths])
  const verdicts = paths.map((path) => {
    const minded = said.split('\n').filter((line) => line.startsWith(`${path}:`))
    return { accepted: minded.length === 0, said: minded.map((line) => line.slice(path.length)).join('\n') }
  })
  if (!accepted && verdicts.every((verdict) => verdict.accepted)) throw new Error(`shellcheck said: ${said}`)
  return verdicts
}

export function shellcheck(script: string, shell: 'sh' | 'bash', ...options: readonly string[]): Verdict {
  return judge('shellcheck', ['-s', shell, ...options, '-'], script)
}

/** Alpine's own programs, where `lab/alpine-judges.sh` puts them; '' when it cannot say. */
export function alpineJudge(name: 'ifquery' | 'openrc'): string {
  const script = fileURLToPath(new URL('../../lab/alpine-judges.sh', import.meta.url))
  const { stdout } = spawnSync(script, ['--where'], { encoding: 'utf8' })
  return new RegExp(`^${name} (.*)$`, 'm').exec(stdout)?.[1] ?? ''
}

/** What NetworkManager makes of a keyfile, without what it adds: an identifier, and a section without keys. */
export function keyfileAsRead(keyfile: string): string {
  const { said } = judge(
    'nmcli',
    ['--offline', 'connection', 'modify', 'connection.autoconnect', 'yes'],
    keyfile,
  )
  const written = said.replace(/^uuid=.*\n/m, '').replace(/\n\[proxy\]\n$/, '')
  // It writes the names of networks as text where it can.
  const ssid = /^ssid=((?:\d+;)+)$/m.exec(keyfile)?.[1]
  if (ssid === undefined) return written
  const name = Buffer.from(ssid.split(';').slice(0, -1).map(Number)).toString('utf8')
  return written.replace(`ssid=${name}\n`, `ssid=${ssid}\n`)
}
