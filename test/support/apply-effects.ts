import { utf8Decode } from '../../src/core/k3os/bytes.ts'
import { withAuthorizedKey } from '../../src/core/k3os/authorized-keys.ts'
import {
  connmanMain,
  connmanMainPath,
  connmanServices,
  connmanServicesPath,
  connmanSettings,
  connmanSettingsPath,
} from '../../src/core/k3os/connman-files.ts'
import type { Effect } from '../../src/core/k3os/effects.ts'
import { mergeEnvironment } from '../../src/core/k3os/environment-file.ts'
import { renameInHosts } from '../../src/core/k3os/hosts-file.ts'

// A machine that is nothing but a file system, and programs that are nothing but recorders: whatever has the word FAIL
// in its arguments ends with status 3, as in the recordings the golden cases come from.

export interface VirtualFile {
  readonly mode: number
  readonly content: string
}

export interface Call {
  readonly program: string
  readonly args: readonly string[]
  readonly stdin?: string
  readonly env?: readonly string[]
}

export interface Machine {
  hostname: string
  readonly files: Map<string, VirtualFile>
  readonly loadedModules: ReadonlySet<string>
  /** Directories that exist below `/proc/sys`. */
  readonly sysctlDirectories: ReadonlySet<string>
  /** What keys can be fetched from. */
  readonly remote: ReadonlyMap<string, string>
}

export interface Applied {
  readonly hostname: string
  /** Files that are new or different, by path. */
  readonly files: Readonly<Record<string, { readonly mode: string; readonly content: string }>>
  readonly calls: readonly Call[]
  readonly errors: readonly string[]
}

/** Carries effects out on a machine and tells what changed, as the recordings do. */
export function applyEffects(effects: readonly Effect[], machine: Machine): Applied {
  const before = new Map(machine.files)
  const applier = new Applier(machine)
  for (const effect of effects) applier.apply(effect)
  const changed = Array.from(machine.files).filter(([path, file]) => {
    const old = before.get(path)
    return old === undefined || old.mode !== file.mode || old.content !== file.content
  })
  const files = Object.fromEntries(
    changed.map(([path, { mode, content }]) => [
      path,
      { mode: `0${mode.toString(8).padStart(3, '0')}`, content },
    ]),
  )
  return { hostname: machine.hostname, files, calls: applier.calls, errors: applier.errors }
}

class Applier {
  readonly calls: Call[] = []
  readonly errors: string[] = []
  /** Lists a failure has ended: kinds of effects, or names of command lists. */
  private readonly ended = new Set<string>()
  private readonly machine: Machine

  constructor(machine: Machine) {
    this.machine = machine
  }

  apply(effect: Effect): void {
    const { machine } = this
    switch (effect.kind) {
      case 'module': {
        const whole = [effect.name, ...effect.parameters].join(' ')
        if (this.ended.has('module') || machine.loadedModules.has(whole)) break
        if (this.run({ program: 'modprobe', args: [effect.name, ...effect.parameters] })) break
        this.ended.add('module')
        this.errors.push(`could not load module ${whole}`)
        break
      }
      case 'sysctl':
        this.sysctl(effect.file, effect.value)
        break
      case 'hostname':
        machine.hostname = effect.name
        this.write('/etc/hostname', `${effect.name}\n`)
        this.write('/etc/hosts', renameInHosts(this.read('/etc/hosts'), effect.name))
        break
      case 'file':
        this.file(effect)
        break
      case 'environment':
        this.write('/etc/environment', mergeEnvironment(this.read('/etc/environment'), effect.variables))
        break
      case 'command':
        if (this.ended.has(effect.list)) break
        if (this.run({ program: 'sh', args: ['-c', effect.command] })) break
        this.ended.add(effect.list)
        this.errors.push(`failed to run ${effect.command}: exit status 3`)
        break
      case 'fallback-servers':
        this.write(connmanMainPath, connmanMain(effect.nameservers, effect.timeservers))
        break
      case 'wifi':
        this.write(connmanSettingsPath, connmanSettings())
        this.write(connmanServicesPath, connmanServices(effect.networks))
        break
      case 'password': {
        const stdin = `${effect.user}:${effect.password}`
        this.run({ program: 'chpasswd', args: effect.encrypted ? ['-e'] : [], stdin })
        break
      }
      case 'ssh-key':
        this.sshKey(effect.user, effect.key, effect.url)
        break
      case 'data-sources':
        this.write('/etc/conf.d/cloud-config', `command_args="${effect.names.join(' ')}"\n`)
        break
      case 'k3s': {
        const env = Object.entries(effect.environment).map(([name, value]) => `${name}=${value}`)
        this.run({ program: effect.program, args: effect.args, env: env.toSorted() })
        break
      }
      case 'installer':
        this.run({ program: 'k3os', args: ['install'] })
        break
      case 'error':
        this.errors.push(effect.message)
        break
    }
  }

  private run(call: Call): boolean {
    this.calls.push(call)
    return !call.args.some((argument) => argument.includes('FAIL'))
  }

  private read(path: string): string {
    return this.machine.files.get(path)?.content ?? ''
  }

  /** Go's ioutil.WriteFile: an existing file keeps its mode. */
  private write(path: string, content: string): void {
    this.machine.files.set(path, { mode: this.machine.files.get(path)?.mode ?? 0o644, content })
  }

  private sysctl(file: string, value: string): void {
    if (this.ended.has('sysctl')) return
    if (this.machine.sysctlDirectories.has(file.slice(0, file.lastIndexOf('/')))) {
      this.write(`/proc/sys/${file}`, value)
      return
    }
    this.ended.add('sysctl')
    this.errors.push(`open /proc/sys/${file}: no such file or directory`)
  }

  private file(effect: Extract<Effect, { kind: 'file' }>): void {
    const directory = effect.path.slice(0, effect.path.lastIndexOf('/'))
    const temporary = `${directory}/wfs-tempN`
    const file = { mode: effect.mode, content: utf8Decode(effect.content) }
    if (effect.owner !== '' && !this.run({ program: 'chown', args: [effect.owner, temporary] })) {
      this.machine.files.set(temporary, file)
      this.errors.push('failed to write file')
    } else this.machine.files.set(effect.path, file)
  }

  private sshKey(user: string, key: string, url: string | null): void {
    const path = `/home/${user}/.ssh/authorized_keys`
    const text = url === null ? key : this.machine.remote.get(url)
    if (text === undefined) {
      this.errors.push(`failed to authorize SSH key ${key}: 404 Not Found`)
      return
    }
    const mode = this.machine.files.get(path)?.mode ?? 0o600
    this.machine.files.set(path, { mode, content: withAuthorizedKey(this.read(path), text) })
  }
}
