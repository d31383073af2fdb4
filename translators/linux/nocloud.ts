import type { HostModel } from '../../src/core/host/model.ts'
import { toBase64 } from '../../src/core/base64.ts'
import { utf8Decode } from '../../src/core/k3os/bytes.ts'
import type { OutputFile, TraceEntry, TranslateTools } from '../../src/core/translation.ts'
import { yaml } from '../../src/core/yaml-text.ts'
import { networkConfig } from './netplan.ts'
import { hostKeys } from './host-keys.ts'
import { isPlainText, ownFolder, rootFile, traceTo, type RootFile } from './root-file.ts'

const seeded = `${ownFolder}/seeded`
const firstBoot = `${ownFolder}/first-boot.sh`

export interface SeedSource {
  readonly name: string
  readonly host: HostModel
  readonly nonce: string | null
  readonly files: readonly RootFile[]
  readonly units: readonly string[]
  /** GRUB's menu must be written anew, as one of the files adds kernel arguments. */
  readonly updatesGrub: boolean
}

/** The three documents of a NoCloud seed. `user-data` holds secrets. */
export function seedFiles(source: SeedSource, tools: TranslateTools): OutputFile[] {
  const { host, name, nonce } = source
  const identity = {
    // A new attempt is a new instance: cloud-init then does its work again.
    'instance-id': `k3os-migrate-${name}-${nonce ?? 'unplanned'}`,
    ...(host.hostname === null ? {} : { 'local-hostname': host.hostname.value }),
  }
  return [
    {
      path: 'user-data',
      content: `#cloud-config\n${yaml(cloudConfig(source, tools))}`,
      mode: 0o600,
    },
    { path: 'meta-data', content: yaml(identity), mode: 0o644 },
    { path: 'network-config', content: yaml(networkConfig(host.network)), mode: 0o600 },
  ]
}

/** What cloud-init does on the first boot, as the data of a `#cloud-config`. Holds secrets. */
export function cloudConfig(
  { host, files, units, updatesGrub }: Omit<SeedSource, 'name' | 'nonce'>,
  tools: TranslateTools,
): object {
  const script = tools.render('linux/first-boot.sh.hbs', {
    updatesGrub,
    units: units.join(' '),
    seeded,
  })
  const keys = Object.fromEntries(
    hostKeys(host).flatMap(({ kind, privateKey, publicKey }) => [
      [`${kind}_private`, privateKey],
      [`${kind}_public`, publicKey],
    ]),
  )
  return {
    ...(host.hostname === null
      ? {}
      : { hostname: host.hostname.value, preserve_hostname: false, manage_etc_hosts: 'localhost' }),
    // k3OS's sshd takes keys only; its one user is the only one here too.
    ssh_pwauth: false,
    disable_root: true,
    users: [user(host)],
    ...(Object.keys(keys).length === 0 ? {} : { ssh_keys: keys }),
    write_files: [...files, rootFile(firstBoot, script, { mode: 0o755 })].map(writeFile),
    runcmd: [['sh', firstBoot]],
    power_state: {
      mode: 'reboot',
      delay: 'now',
      message: 'The configuration of k3OS is written; restarting into it',
      condition: ['test', '-e', seeded],
    },
  }
}

function user({ user: { name, uid, password, authorizedKeys } }: HostModel): object {
  return {
    name,
    uid,
    gecos: 'k3OS user',
    shell: '/bin/bash',
    sudo: 'ALL=(ALL) NOPASSWD:ALL',
    lock_passwd: password === null,
    ...(password === null
      ? {}
      : password.encrypted
        ? { passwd: password.value }
        : { plain_text_passwd: password.value }),
    ...(authorizedKeys.length === 0 ? {} : { ssh_authorized_keys: authorizedKeys.map((key) => key.value) }),
  }
}

function writeFile(file: RootFile): object {
  const plain = isPlainText(file.content)
  return {
    path: file.path,
    owner: file.owner,
    permissions: file.mode.toString(8).padStart(4, '0'),
    // Its owner only exists once cloud-init has made the users.
    ...(/^(?:root|\d+):(?:root|\d+)$/.test(file.owner) ? {} : { defer: true }),
    ...(plain ? {} : { encoding: 'b64' }),
    content: plain ? utf8Decode(file.content) : toBase64(file.content),
  }
}

/** Text that YAML carries unchanged. Line ends of Windows and control characters are safer as base64. */

/** What the seed says in cloud-init's own words, not as a file. */
export function traceOfSeed({ user, network, hostname }: HostModel): TraceEntry[] {
  return [
    ...traceTo('user-data', 'hostname', hostname?.from ?? []),
    ...traceTo('user-data', 'users[0].passwd', user.password?.from ?? []),
    ...user.authorizedKeys.flatMap((key) => traceTo('user-data', 'users[0].ssh_authorized_keys', key.from)),
    ...network.ports.flatMap((port) => traceTo('network-config', 'ethernets', port.from)),
    ...(network.wifi?.networks ?? []).flatMap((wifi) => traceTo('network-config', 'wifis', wifi.from)),
  ]
}
