/**
 * Reads a fleet of k3OS-shaped nodes behind real sshds: once with this tool, once with Ansible's fact gathering, with equal
 * parallelism, the same nodes and the same keys. Ansible needs Python on the nodes, which k3OS does not have: it is added to
 * them for this comparison.
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
const lab = startSshLab()
try {
  const ansible = installAnsible()
  const python = newestPython()
  const nodes = await lab.startFleet(count, bundleOf(k3osNode()), (root) => addPython(root, python))
  const ours = seconds(process.execPath, inventoryCommand(nodes), { HOME: lab.home })
  const theirs = seconds(ansible, ansibleCommand(nodes, python), ansibleEnvironment(ansible))
  const rows = [
    ['k3os-migrate inventory', ours.toFixed(1), ((ours / count) * 1000).toFixed(0), ''],
    [
      `ansible -m setup (core ${ansibleVersion})`,
      theirs.toFixed(1),
      ((theirs / count) * 1000).toFixed(0),
      `${(theirs / ours).toFixed(1)}x`,
    ],
  ]
  const right = ['SECONDS', 'MS EACH', 'RATIO']
  process.stderr.write(`${count} nodes, ${parallel} at once\n${table(['WHAT', ...right], rows, { right })}`)
  process.stdout.write(
    `${JSON.stringify({ nodes: count, parallel, oursSeconds: ours, ansibleSeconds: theirs })}\n`,
  )
} finally {
  await lab.stop()
  rmSync(scratch, { recursive: true, force: true })
}

function seconds(program: string, args: readonly string[], env: Readonly<Record<string, string>>): number {
  const start = performance.now()
  const { status, stderr, stdout } = spawnSync(program, args, {
    cwd: scratch,
    env: { PATH: process.env['PATH'], ...env },
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  })
  if (status !== 0)
    throw new Error(`${program} ended with ${status}\n${stdout.slice(-2000)}\n${stderr.slice(-2000)}`)
  return (performance.now() - start) / 1000
}

function inventoryCommand(nodes: readonly SshNode[]): string[] {
  const cli = fileURLToPath(new URL('../src/cli.ts', import.meta.url))
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
