/**
 * Reads a fleet of k3OS-shaped nodes behind real sshds: once with this tool, once with Ansible's fact gathering, with equal
 * parallelism, the same nodes and the same keys. Ansible needs Python on the nodes, which k3OS does not have: it is added to
 * them for this comparison. Where a control group can be made, processor time is counted too, of both sides of every
 * connection: on a busy machine only that compares.
 *
 *   npm exec -c 'node bench/fleet.ts [--nodes 100] [--parallel 16]'
 *
 * Needs root, what the SSH suites need, and Python with venv; ansible-core comes from PyPI into the cache.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { table } from '../src/output/table.ts'
import { bundleOf, k3osNode } from '../test/support/k3os-node.ts'
import { addWithLibraries, missingForK3osRoot } from '../test/support/k3os-root.ts'
import { type SshNode, startSshLab } from '../test/support/sshd.ts'

const { values } = parseArgs({
  options: { nodes: { type: 'string', default: '100' }, parallel: { type: 'string', default: '16' } },
})
const count = Number(values.nodes)
const parallel = Number(values.parallel)
const ansibleVersion = '2.18.6'

const missing = missingForK3osRoot()
if (missing !== undefined) throw new Error(missing)
const scratch = mkdtempSync(join(tmpdir(), 'k3os-migrate-fleet-'))
const group = enterGroup()
const lab = startSshLab()
try {
  const ansible = installAnsible()
  const python = newestPython()
  const nodes = await lab.startFleet(count, bundleOf(k3osNode()), (root) => addPython(root, python))
  const ours = spent(process.execPath, inventoryCommand(nodes), { HOME: lab.home })
  const theirs = spent(ansible, ansibleCommand(nodes, python), ansibleEnvironment(ansible))
  const each = (all: number | null): string => (all === null ? '' : ((all / count) * 1000).toFixed(0))
  const times = (part: keyof Spent): string => {
    const [a, b] = [ours[part], theirs[part]]
    return a === null || b === null ? '' : `${(b / a).toFixed(1)}x`
  }
  const rows = [
    ['k3os-migrate inventory', ours.seconds.toFixed(1), each(ours.seconds), '', each(ours.cpuSeconds), ''],
    [
      `ansible -m setup (core ${ansibleVersion})`,
      theirs.seconds.toFixed(1),
      each(theirs.seconds),
      times('seconds'),
      each(theirs.cpuSeconds),
      times('cpuSeconds'),
    ],
  ]
  const right = ['SECONDS', 'MS EACH', 'RATIO', 'CPU MS EACH', 'RATIO OF CPU']
  process.stderr.write(`${count} nodes, ${parallel} at once\n${table(['WHAT', ...right], rows, { right })}`)
  process.stdout.write(`${JSON.stringify({ nodes: count, parallel, ours, ansible: theirs })}\n`)
} finally {
  await lab.stop()
  group?.leave()
  rmSync(scratch, { recursive: true, force: true })
}

interface Spent {
  readonly seconds: number
  /** Null where nobody can count it. */
  readonly cpuSeconds: number | null
}

interface Group {
  readonly cpuSeconds: () => number
  readonly leave: () => void
}

/** A control group with this process in it, and so with all that it starts. */
function enterGroup(): Group | null {
  const name = `k3os-migrate-bench-${process.pid}`
  const kinds = [
    {
      parent: '/sys/fs/cgroup/cpuacct',
      read: (group: string) => Number(readFileSync(join(group, 'cpuacct.usage'), 'utf8')) / 1e9,
    },
    {
      parent: '/sys/fs/cgroup',
      read: (group: string) =>
        Number(/usage_usec (\d+)/.exec(readFileSync(join(group, 'cpu.stat'), 'utf8'))?.[1]) / 1e6,
    },
  ]
  for (const { parent, read } of kinds) {
    if (!existsSync(join(parent, 'cgroup.procs'))) continue
    const folder = join(parent, name)
    mkdirSync(folder)
    writeFileSync(join(folder, 'cgroup.procs'), String(process.pid))
    return {
      cpuSeconds: () => read(folder),
      leave: () => {
        for (const pid of readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean))
          writeFileSync(join(parent, 'cgroup.procs'), pid)
        rmdirSync(folder)
      },
    }
  }
  return null
}

function spent(program: string, args: readonly string[], env: Readonly<Record<string, string>>): Spent {
  const start = performance.now()
  const cpuBefore = group?.cpuSeconds() ?? 0
  const { status, stderr, stdout } = spawnSync(program, args, {
    cwd: scratch,
    env: { PATH: process.env['PATH'], ...env },
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  })
  if (status !== 0)
    throw new Error(`${program} ended with ${status}\n${stdout.slice(-2000)}\n${stderr.slice(-2000)}`)
  const seconds = (performance.now() - start) / 1000
  return { seconds, cpuSeconds: group === null ? null : group.cpuSeconds() - cpuBefore }
}

function inventoryCommand(nodes: readonly SshNode[]): string[] {
  const cli = fileURLToPath(new URL('../dist/src/cli.js', import.meta.url))
  if (!existsSync(cli)) throw new Error('nothing is built yet: npm run build')
  const hosts = nodes.map(({ host, port }) => `${host}:${port}`)
  return [cli, 'inventory', '--no-cluster', '--parallel', String(parallel), ...hosts]
}

function ansibleCommand(nodes: readonly SshNode[], python: string): string[] {
  const shared = [
    'ansible_user=rancher',
    'ansible_become=true',
    `ansible_python_interpreter=${python}`,
    `ansible_ssh_private_key_file=${lab.identityFile}`,
    `ansible_ssh_common_args="-o UserKnownHostsFile=${lab.knownHostsFile}"`,
  ].join(' ')
  const lines = nodes.map(
    ({ name, host, port }) => `${name} ansible_host=${host} ansible_port=${port} ${shared}`,
  )
  writeFileSync(join(scratch, 'hosts'), `${lines.join('\n')}\n`)
  return ['-i', 'hosts', '-m', 'ansible.builtin.setup', '-f', String(parallel), 'all']
}

function ansibleEnvironment(ansible: string): Record<string, string> {
  // As fast as it gets: no copy of the module to each node's disk.
  return {
    HOME: lab.home,
    ANSIBLE_PIPELINING: 'true',
    ANSIBLE_LOCAL_TEMP: join(scratch, 'ansible'),
    LC_ALL: 'C.UTF-8',
    VIRTUAL_ENV: join(ansible, '../..'),
  }
}

function installAnsible(): string {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  const venv = join(cache, 'k3os-migrate', `ansible-core-${ansibleVersion}`)
  const ansible = join(venv, 'bin/ansible')
  if (!existsSync(ansible)) {
    execFileSync('python3', ['-m', 'venv', venv])
    execFileSync(join(venv, 'bin/pip'), ['install', '-q', `ansible-core==${ansibleVersion}`], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
  }
  return ansible
}

/** `/usr/bin/python3.11`: the distribution's own, whose parts lie where they are looked for. */
function newestPython(): string {
  const names = readdirSync('/usr/bin').filter((name) => /^python3\.\d+$/.test(name))
  const [newest] = names.toSorted((a, b) => Number(b.slice(8)) - Number(a.slice(8)))
  if (newest === undefined) throw new Error('no python3 in /usr/bin: apt-get install python3')
  return join('/usr/bin', newest)
}

function addPython(root: string, python: string): void {
  addWithLibraries(root, python)
  const library = join('/usr/lib', basename(python))
  mkdirSync(join(root, '/usr/lib'), { recursive: true })
  cpSync(library, join(root, library), {
    recursive: true,
    filter: (path) => !/\/(test|idlelib|tkinter|ensurepip|config-[^/]+)$/.test(path),
  })
  for (const name of readdirSync(join(library, 'lib-dynload')))
    addWithLibraries(root, join(library, 'lib-dynload', name))
  symlinkSync(basename(python), join(root, 'usr/bin/python3'))
}
