/**
 * Reads a fleet of k3OS-shaped nodes behind real sshds: once with this tool, once with Ansible's fact gathering, with equal
 * parallelism, the same nodes and the same keys. Ansible needs Python on the nodes, which k3OS does not have: it is added to
 * them for this comparison. Below both there is a floor, which nobody who logs in to each node can pass: OpenSSH's own client
 * that runs `true` there, as many at a time.
 *
 * Everything is on this machine, clients and nodes, so that processor time is what all compete for; where control groups can
 * be made it is counted on both sides of every connection. The network is one of its own, so that all bytes on it are ours.
 *
 * In its first turn Python compiles the modules that Ansible sends it to use, and keeps them on the nodes; the median of three
 * turns is without that, and a row of its own has the first. Pipelining is what its manual advises for speed; it comes without.
 *
 *   npm exec -c 'node bench/fleet.ts [--nodes 100] [--parallel 16] [--turns 3]'
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
import { type SshLab, type SshNode, startSshLab } from '../test/support/sshd.ts'

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '100' },
    parallel: { type: 'string', default: '16' },
    turns: { type: 'string', default: '3' },
  },
})
const count = Number(values.nodes)
const parallel = Number(values.parallel)
const ansibleVersion = '2.18.6'

interface Spent {
  readonly seconds: number
  /** Of the nodes, and of who reads them. Null where nobody can count it. */
  readonly nodesCpuSeconds: number | null
  readonly clientCpuSeconds: number | null
  readonly connections: number
  /** Commands that sshd started. */
  readonly sessions: number
  /** On the wire, both ways, with all headers. */
  readonly bytes: number
}

const missing = missingForK3osRoot()
if (missing !== undefined) throw new Error(missing)
const ansible = installAnsible()
const ownNetwork = 'K3OS_MIGRATE_BENCH_NETWORK'
if (process.env[ownNetwork] === 'own') await compare()
else {
  const inNetwork = ['-n', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh']
  const { status } = spawnSync('unshare', [...inNetwork, process.execPath, ...process.argv.slice(1)], {
    stdio: 'inherit',
    env: { ...process.env, [ownNetwork]: 'own' },
  })
  process.exitCode = status ?? 1
}

async function compare(): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'k3os-migrate-fleet-'))
  const groups = [enterGroup('nodes')]
  const lab = startSshLab()
  try {
    const python = newestPython()
    const nodes = await lab.startFleet(count, bundleOf(k3osNode()), (root) => addPython(root, python))
    groups.push(enterGroup('client'))
    const [nodesGroup = null, clientGroup = null] = groups
    const spent = (
      program: string,
      args: readonly string[],
      env: Readonly<Record<string, string>>,
      input = '',
    ) => {
      const before = [nodesGroup?.cpuSeconds() ?? 0, clientGroup?.cpuSeconds() ?? 0, bytesSent()] as const
      const logsBefore = nodes.map(({ log }) => readFileSync(log, 'utf8').length)
      const start = performance.now()
      const { status, stderr, stdout } = spawnSync(program, args, {
        cwd: scratch,
        env: { PATH: process.env['PATH'], ...env },
        encoding: 'utf8',
        maxBuffer: 2 ** 30,
        input,
      })
      const seconds = (performance.now() - start) / 1000
      if (status !== 0)
        throw new Error(`${program} ended with ${status}\n${stdout.slice(-2000)}\n${stderr.slice(-2000)}`)
      const said = nodes.map(({ log }, index) => readFileSync(log, 'utf8').slice(logsBefore[index])).join('')
      return {
        seconds,
        nodesCpuSeconds: nodesGroup === null ? null : nodesGroup.cpuSeconds() - before[0],
        clientCpuSeconds: clientGroup === null ? null : clientGroup.cpuSeconds() - before[1],
        connections: said.match(/^Accepted publickey for /gm)?.length ?? 0,
        sessions: said.match(/^Starting session: /gm)?.length ?? 0,
        bytes: bytesSent() - before[2],
      }
    }
    writeInventory(scratch, nodes, python, lab)
    const ours: Spent[] = []
    const theirs: Spent[] = []
    const asItComes: Spent[] = []
    const floor: Spent[] = []
    for (let turn = 1; turn <= Number(values.turns); turn += 1) {
      ours.push(spent(process.execPath, inventoryCommand(nodes), { HOME: lab.home }))
      floor.push(spent('xargs', loginCommand(lab), { HOME: lab.home }, loginInput(nodes)))
      theirs.push(spent(ansible, ansibleCommand(), ansibleEnvironment(scratch, lab, true)))
      asItComes.push(spent(ansible, ansibleCommand(), ansibleEnvironment(scratch, lab, false)))
    }
    report({ ours, theirs, asItComes, floor })
  } finally {
    await lab.stop()
    for (const group of groups.toReversed()) group?.leave()
    rmSync(scratch, { recursive: true, force: true })
  }
}

function report(all: Readonly<Record<'ours' | 'theirs' | 'asItComes' | 'floor', readonly Spent[]>>): void {
  const { ours, theirs, asItComes, floor } = all
  const cpu = ({ nodesCpuSeconds: a, clientCpuSeconds: b }: Spent) =>
    a === null || b === null ? null : a + b
  const row = (what: string, turns: readonly Spent[]): string[] => {
    const middle = (of: (spent: Spent) => number | null): number | null => {
      const values = turns.map(of).filter((value) => value !== null)
      return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? null
    }
    const msEach = (of: (spent: Spent) => number | null): string => {
      const all = middle(of)
      return all === null ? '' : ((all / count) * 1000).toFixed(1)
    }
    const times = (of: (spent: Spent) => number | null): string => {
      const [mine, all] = [ours, turns].map((some) => some.map(of).filter((value) => value !== null))
      const half = (some: readonly number[] = []) =>
        some.toSorted((a, b) => a - b)[Math.floor(some.length / 2)]
      const [a, b] = [half(mine), half(all)]
      return a === undefined || b === undefined ? '' : `${(b / a).toFixed(1)}x`
    }
    const each = (of: (spent: Spent) => number) => ((middle(of) ?? 0) / count).toFixed(1)
    const seconds = turns.map((turn) => turn.seconds).toSorted((a, b) => a - b)
    return [
      what,
      middle((spent) => spent.seconds)?.toFixed(2) ?? '',
      `${seconds.at(0)?.toFixed(2)}-${seconds.at(-1)?.toFixed(2)}`,
      times((spent) => spent.seconds),
      msEach((spent) => spent.nodesCpuSeconds),
      msEach((spent) => spent.clientCpuSeconds),
      times(cpu),
      each((spent) => spent.connections),
      each((spent) => spent.sessions),
      each((spent) => spent.bytes / 1024),
    ]
  }
  const right = [
    'SECONDS',
    'RANGE',
    'RATIO',
    'CPU MS NODE',
    'CPU MS CLIENT',
    'RATIO OF CPU',
    'LOGINS',
    'COMMANDS',
    'KIB',
  ]
  const rows = [
    row('ssh NODE true (the floor)', floor),
    row('k3os-migrate inventory', ours),
    row(`ansible -m setup (core ${ansibleVersion}, pipelining)`, theirs),
    row('the same in its first turn', theirs.slice(0, 1)),
    row('the same as it comes, without pipelining', asItComes),
  ]
  process.stderr.write(
    `${count} nodes, ${parallel} at once, median of ${ours.length} turns; logins and all behind them for one node\n${table(['WHAT', ...right], rows, { right })}`,
  )
  process.stdout.write(
    `${JSON.stringify({ nodes: count, parallel, ours, ansible: theirs, asItComes, floor })}\n`,
  )
}

/** All that went over this network, which has one interface. */
function bytesSent(): number {
  const [, sent] = /^\s*lo:\s*(\d+)/m.exec(readFileSync('/proc/net/dev', 'utf8')) ?? []
  return Number(sent)
}

interface Group {
  readonly cpuSeconds: () => number
  readonly leave: () => void
}

/** A control group with this process in it, and so with all that it starts. */
function enterGroup(of: string): Group | null {
  const name = `k3os-migrate-bench-${process.pid}-${of}`
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

function inventoryCommand(nodes: readonly SshNode[]): string[] {
  const cli = fileURLToPath(new URL('../dist/src/cli.js', import.meta.url))
  if (!existsSync(cli)) throw new Error('nothing is built yet: npm run build')
  const hosts = nodes.map(({ host, port }) => `${host}:${port}`)
  return [cli, 'inventory', '--no-cluster', '--parallel', String(parallel), ...hosts]
}

/** As many clients at a time, each started anew, as OpenSSH's own is. */
function loginCommand(lab: SshLab): string[] {
  const trust = ['-o', 'BatchMode=yes', '-o', `UserKnownHostsFile=${lab.knownHostsFile}`]
  return [
    '-P',
    String(parallel),
    '-L',
    '1',
    'ssh',
    '-F',
    'none',
    ...trust,
    '-i',
    lab.identityFile,
    '-l',
    'rancher',
  ]
}

function loginInput(nodes: readonly SshNode[]): string {
  return nodes.map(({ host, port }) => `-p ${port} ${host} true\n`).join('')
}

function writeInventory(scratch: string, nodes: readonly SshNode[], python: string, lab: SshLab): void {
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
}

function ansibleCommand(): string[] {
  return ['-i', 'hosts', '-m', 'ansible.builtin.setup', '-f', String(parallel), 'all']
}

/** With pipelining it is as fast as it gets: no copy of the module to each node's disk. Each turn opens its own connections. */
function ansibleEnvironment(scratch: string, lab: SshLab, pipelining: boolean): Record<string, string> {
  return {
    HOME: lab.home,
    ANSIBLE_PIPELINING: String(pipelining),
    ANSIBLE_LOCAL_TEMP: join(scratch, 'ansible'),
    ANSIBLE_SSH_CONTROL_PATH_DIR: mkdtempSync(join(scratch, 'cp-')),
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
