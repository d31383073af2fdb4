import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { goldenCases, goldenFile, judge, rootWith, type Verdict } from '../../support/judges.ts'
import { requirePart } from '../../support/require-part.ts'

// systemd-networkd has no check of its own: the daemon itself reads the files, in a network of its own, and says what it minds.

const daemon = '/lib/systemd/systemd-networkd'
const skip = requirePart(
  'VALIDATORS',
  !existsSync(daemon)
    ? `${daemon} missing: apt-get install --no-install-recommends systemd`
    : process.getuid?.() === 0
      ? undefined
      : 'a network of its own needs root',
)

/** Files by name. Its complaints about them, and nothing else it says: it has no bus and no udev here. */
function networkd(files: ReadonlyMap<string, string>): Verdict {
  const root = rootWith([...files].map(([name, text]) => [`/${name}`, text, 0o644] as const))
  const script = [
    'mount -t tmpfs tmpfs /run',
    'mkdir -p /run/systemd/network',
    `cp ${root}/* /run/systemd/network`,
    'chmod -R a+rX /run/systemd',
    `SYSTEMD_LOG_TARGET=console SYSTEMD_LOG_LEVEL=warning timeout -k 1 2 ${daemon} 2>&1 | grep ^/run/systemd/network`,
  ]
  const args = ['-n', '-m', '-p', '-f', '--mount-proc', 'sh', '-c', script.join('\n')]
  const { said } = judge('unshare', args)
  return { accepted: said === '', said }
}

/** The files of all cases together, each under a name of its own: the daemon takes two seconds to be asked. */
function ofAllCases(): Map<string, string> {
  const all = new Map<string, string>()
  for (const name of goldenCases('debian', 'networkd'))
    for (const file of readdirSync(goldenFile(name, 'debian', 'networkd')))
      if (file.endsWith('.network'))
        all.set(
          `${file.slice(0, 3)}${name}-${file}`,
          readFileSync(goldenFile(name, 'debian', `networkd/${file}`), 'utf8'),
        )
  return all
}

describe.skipIf(skip)('systemd-networkd', () => {
  it('takes every file', () => {
    const files = ofAllCases()
    expect(files.size).toBeGreaterThan(20)
    expect(networkd(files)).toEqual({ accepted: true, said: '' })
  })

  it.each([
    ['a key that does not exist', 'DHCP=ipv4', 'DHPC=ipv4'],
    ['a value that is none', 'IPv6AcceptRA=yes', 'IPv6AcceptRA=perhaps'],
    ['a section that does not exist', '[DHCPv4]', '[DHCP4]'],
  ])('minds %s', (_, right, wrong) => {
    const [file] = [...ofAllCases()].filter(([, text]) => text.includes(right) && text.includes('[DHCPv4]'))
    if (file === undefined) throw new Error('no case has such a port')
    expect(networkd(new Map([[file[0], file[1].replace(right, wrong)]])).accepted).toBe(false)
  })
})
