import { readFileSync, readlinkSync, statSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ash } from '../../support/alpine-judges.ts'
import {
  autoinstall,
  cloudInit,
  debconf,
  netplan,
  networkd,
  systemd,
  tmpfilesIn,
  unitsIn,
} from '../../support/cloud-init-judges.ts'
import { filesOfUserData, scriptsIn } from '../../support/emitted-files.ts'
import { goldenCases, goldenFile, shellcheck } from '../../support/judges.ts'
import { ask, askAll, type Judge } from '../../support/questions.ts'
import { requirePart } from '../../support/require-part.ts'
import { missingJudges } from '../../support/target-judges.ts'

// Debian's own tools, which judge everything emitted for Debian and Ubuntu (matrix.test.ts): each minds a mistake.

const skip = requirePart('VALIDATORS', missingJudges())
const accepted = { accepted: true, said: '' }
const read = (name: string, target: string, file: string) =>
  readFileSync(goldenFile(name, target, file), 'utf8')
const judgeFiles = (judge: Judge, files: ReadonlyMap<string, string | Uint8Array>) =>
  askAll([{ judge, subject: files }])[0]

describe.skipIf(skip)('systemd-tmpfiles', () => {
  it.each(['debian', 'ubuntu'])('makes the links beside k3s on %s', (target) => {
    const { root } = tmpfilesIn(filesOfUserData(read('single-server-default', target, 'user-data')))
    expect(readlinkSync(`${root}/usr/local/bin/kubectl`)).toBe('k3s')
  })

  it('copies files in memory with content, mode and owner', () => {
    const { root } = tmpfilesIn(filesOfUserData(read('commands-in-boot-order', 'debian', 'user-data')))
    const { mode, uid } = statSync(`${root}/run/app.conf`)
    expect(readFileSync(`${root}/run/app.conf`, 'utf8')).toBe('mode=edge\n')
    expect([(mode & 0o777).toString(8), uid]).toEqual(['640', 1000])
  })
})

describe.skipIf(skip || autoinstall === null)('the document for the installer of Ubuntu', () => {
  it.each(['{version: 1, storagee: {}}', '{version: 1, updates: never}'])('is refused as %s', (wrong) => {
    if (autoinstall === null) throw new Error('there is no schema')
    expect(ask(autoinstall, `autoinstall: ${wrong}\n`).accepted).toBe(false)
  })
})

describe.skipIf(skip)('minded is', () => {
  const [name = ''] = goldenCases('debian', 'user-data')
  const userData = skip ? '' : read(name, 'debian', 'user-data')

  it('by cloud-init a file without a path', () => {
    expect(ask(cloudInit, userData)).toEqual(accepted)
    expect(ask(cloudInit, userData.replace('- path: ', '- paht: ')).accepted).toBe(false)
  })

  it.each([
    ['an address without a length', '{eth0: {addresses: [10.0.0.5]}}'],
    ['a match that is none', '{eth0: {match: eth0}}'],
  ])('by netplan %s', (_, ethernets) => {
    expect(ask(netplan, 'version: 2\nethernets: {eth0: {addresses: [10.0.0.5/24]}}\n')).toEqual(accepted)
    expect(ask(netplan, `version: 2\nethernets: ${ethernets}\n`).accepted).toBe(false)
  })

  it.each([
    ['a key that does not exist', 'KillMode=', 'KilMode='],
    ['a program that does not exist', 'ExecStart=/usr/local/bin/k3s', 'ExecStart=/usr/bin/k3s'],
  ])('by systemd-analyze %s', (_, right, wrong) => {
    const unitsOf = (text: string) => unitsIn(filesOfUserData(text))
    expect(judgeFiles(systemd, unitsOf(userData))).toEqual(accepted)
    expect(judgeFiles(systemd, unitsOf(userData.replace(right, wrong)))?.accepted).toBe(false)
  })

  it('by shellcheck a variable without quotes', () => {
    const scripts = scriptsIn(filesOfUserData(userData.replace('set -eu', 'set -eu; rm $x')))
    expect(scripts.some((script) => !shellcheck(script, 'sh').accepted)).toBe(true)
  })

  it('by systemd-tmpfiles a type that does not exist', () => {
    const wrong = userData.replace('L "/usr/local/bin/ctr"', '? "/usr/local/bin/ctr"')
    expect(wrong).not.toBe(userData)
    expect(tmpfilesIn(filesOfUserData(wrong)).accepted).toBe(false)
  })

  it('by debconf an answer without a question', () => {
    expect(ask(debconf, 'd-i netcfg/get_hostname string x\n')).toEqual(accepted)
    expect(ask(debconf, 'd-i\n').accepted).toBe(false)
  })

  it('an answer of a type that does not exist, which debconf takes', () => {
    expect(ask(debconf, 'd-i netcfg/get_hostname word x\n').accepted).toBe(false)
  })

  it('by ash a command with a quote left open', () => {
    expect(ask(ash, "echo 'x").accepted).toBe(false)
  })

  it.each([
    ['a key that does not exist', 'DHCP=ipv4', 'DHPC=ipv4'],
    ['a value that is none', 'IPv6AcceptRA=yes', 'IPv6AcceptRA=perhaps'],
    ['a section that does not exist', '[DHCPv4]', '[DHCP4]'],
  ])('by systemd-networkd %s', (_, right, wrong) => {
    const text =
      '[Match]\nName=eth0\n\n[Network]\nDHCP=ipv4\nIPv6AcceptRA=yes\n\n[DHCPv4]\nClientIdentifier=mac\n'
    const verdicts = askAll(
      [text, text.replace(right, wrong)].map((one) => ({
        judge: networkd,
        subject: new Map([['10-eth0.network', one]]),
      })),
    )
    expect(verdicts).toMatchObject([accepted, { accepted: false }])
  })
})
