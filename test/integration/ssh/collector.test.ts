import { execFileSync, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { collectorScript } from '../../../src/adapters/collector.ts'
import { sshHost } from '../../../src/adapters/ssh.ts'
import { type Bundle, parseBundle } from '../../../src/core/bundle.ts'
import { probes, usageProbe } from '../../../src/core/facts/probes.ts'
import { nodeFacts } from '../../../src/core/facts.ts'
import { nodeSecrets } from '../../../src/core/node-secrets.ts'
import { k3osRoot } from '../../../src/simulation/k3os-root.ts'
import { parseScenario } from '../../../src/simulation/scenario.ts'
import { bundleOf, canaries, k3osNode } from '../../support/k3os-node.ts'
import { overlayNode } from '../../support/overlay-node.ts'
import { requirePart } from '../../support/require-part.ts'
import { missingForK3osRoot, type SshLab, type SshNode, startSshLab } from '../../support/sshd.ts'

const skip = requirePart('SSHD', missingForK3osRoot())

describe.skipIf(skip)('the collector', () => {
  let lab: SshLab
  beforeAll(() => {
    lab = startSshLab()
  })
  afterAll(async () => {
    await lab.stop()
  })

  async function collect(node: SshNode): Promise<Bundle> {
    const host = sshHost({
      knownHostsFile: lab.knownHostsFile,
      identityFiles: [lab.identityFile],
      agentSocket: undefined,
      home: lab.home,
      connectTimeoutMs: 10_000,
      commandTimeoutMs: 60_000,
    })
    const bytes = await host.collect({ ...node, user: 'rancher' }, new AbortController().signal)
    return parseBundle(bytes, node.name)
  }

  /** Runs it inside a root without SSH, as root. */
  function runIn(root: string, shell: readonly string[], script = collectorScript()): Buffer {
    return execFileSync('chroot', [root, ...shell], { input: script, stdio: ['pipe', 'pipe', 'pipe'] })
  }

  // Debian's busybox finds its own tools although they were removed, so what lacks them is tried in bash.
  const bash = ['bash', '-s']

  test('reads over SSH what the node is, and changes nothing on it', async () => {
    const node = await lab.startNode('whole', bundleOf(k3osNode()))
    const before = listing(node.root)
    const bundle = await collect(node)
    expect(listing(node.root)).toEqual(before)

    const read = nodeFacts(bundle, { epochSeconds: 1_700_000_000 })
    const simulated = nodeFacts(bundleOf(k3osNode()), { epochSeconds: 1_700_000_000 })
    const { sshHostKeys, usage, ...rest } = read
    const { sshHostKeys: _keys, usage: expectedUsage, ...expected } = simulated
    expect(rest).toEqual(expected)
    expect(usage).toMatchObject(expectedUsage)
    expect(sshHostKeys).toMatchObject([{ publicKey: node.publicKey }])
  })

  test('reads a board with k3OS over its vendor system, and misses nothing there', async () => {
    const board = bundleOf(overlayNode())
    const read = nodeFacts(await collect(await lab.startNode('board', board)), {
      epochSeconds: 1_700_000_000,
    })
    const {
      sshHostKeys: _keys,
      usage: _usage,
      ...expected
    } = nodeFacts(board, {
      epochSeconds: 1_700_000_000,
    })
    expect(read).toMatchObject(expected)
    expect(read).toMatchObject({ install: 'overlay', boot: { menu: null, previous: 'none' }, failures: [] })
  })

  test('reads the machines of the example as the simulation shows them', async () => {
    const file = fileURLToPath(new URL('../../../examples/shops/cluster.yaml', import.meta.url))
    const scenario = parseScenario(readFileSync(file, 'utf8'), file)
    for (const machine of scenario.nodes) {
      const root = k3osRoot(scenario, machine, '11111111-aaaa-4bbb-8ccc-222222222222', 1_700_000_000)
      const real = nodeFacts(await collect(await lab.startNode(machine.name, root)))
      const { sshHostKeys: _key, usage: _usage, ...simulated } = nodeFacts(root)
      expect(real).toMatchObject(simulated)
    }
  })

  test('brings the sources of the configuration, odd names included, with their modes', async () => {
    const odd = '/var/lib/rancher/k3os/config.d/z ümlaut\n$(reboot)\\'
    const files = { [odd]: 'odd\n', '/var/lib/rancher/k3os/config.d/b64:x': 'x\n' }
    const bundle = await collect(await lab.startNode('sources', bundleOf(k3osNode({ files }))))
    const text = (path: string): string => new TextDecoder().decode(bundle.files.get(path)?.bytes)
    expect(text(odd)).toBe('odd\n')
    expect(text('/var/lib/rancher/k3os/config.d/b64:x')).toBe('x\n')
    expect(text('/var/lib/rancher/k3os/config.d/.hidden')).toContain('hidden')
    expect(bundle.files.get('/var/lib/rancher/k3os/config.d/10 wifi.yaml')).toMatchObject({
      mode: 0o600,
      owner: '0:0',
    })
    expect(nodeSecrets(bundle)).toMatchObject({ nodePassword: canaries.nodePassword, failures: [] })
  })

  test.each([['ash'], ['dash'], ['bash']])('says the same in %s', async (shell) => {
    const node = await lab.startNode(`shell-${shell}`, bundleOf(k3osNode()))
    await node.stop()
    if (shell === 'dash') copyFileSync('/bin/dash', join(node.root, 'usr/bin/dash'))
    const reference = parseBundle(runIn(node.root, ['sh', '-s']), 'sh')
    const bundle = parseBundle(runIn(node.root, [shell, '-s']), shell)
    expect(bundle).toEqual(reference)
    expect(bundle.files.size).toBeGreaterThan(30)
  })

  test.each([['sh'], ['dash'], ['bash']])('brings every byte of small files in %s', async (shell) => {
    const contents: Readonly<Record<string, string | Uint8Array>> = {
      plain: 'a: 1\nb: "x y"\n',
      open: 'no end of line',
      'open-after-lines': 'a\n\n  b',
      empty: '',
      'only-line-ends': '\n\n\n',
      blanks: '  a  \n\t b\t\n \n',
      backslash: 'a\\\nb\\',
      marks: ':a\n;b\n.\n!\nend 3\n',
      dos: 'a\r\nb\r\n',
      umlaut: 'gr\u00fc\u00df\n',
      control: 'a\u001b[1m\n',
      zero: new Uint8Array([97, 0, 98, 10]),
      'zero-at-the-end': new Uint8Array([97, 10, 0]),
      binary: new Uint8Array(300).map((_, index) => index),
      'just-short': `${'x'.repeat(2047)}\n`,
      'just-too-long': `${'x'.repeat(2048)}\n`,
    }
    const node = await lab.startNode(`bytes-${shell}`, bundleOf(k3osNode()))
    await node.stop()
    copyFileSync('/bin/dash', join(node.root, 'usr/bin/dash'))
    const folder = '/var/lib/rancher/k3os/config.d'
    for (const [name, content] of Object.entries(contents))
      writeFileSync(join(node.root, folder, name), content)
    const { files } = parseBundle(runIn(node.root, [shell, '-s']), shell)
    const read = Object.keys(contents).map((name) => [name, files.get(`${folder}/${name}`)?.bytes])
    const text = (value: unknown): string => Buffer.from(value as Uint8Array).toString('latin1')
    expect(read.map(([name, value]) => [name, text(value)])).toEqual(
      Object.entries(contents).map(([name, value]) => [name, text(value)]),
    )
  })

  test('one command that hangs leaves the answers of the others as they are', async () => {
    const node = await lab.startNode('one-hangs', bundleOf(k3osNode()))
    await node.stop()
    const shells = ['sh', 'bash'] as const
    const [good] = shells.map((shell) => parseBundle(runIn(node.root, [shell, '-s']), shell).commands)
    writeFileSync(join(node.root, 'usr/bin/k3s'), '#!/bin/sh\nexec sleep 600\n', { mode: 0o755 })
    const hasty = collectorScript()
      .replace(/^run_seconds=\d+/m, 'run_seconds=1')
      .replace(/^group_seconds=\d+/m, 'group_seconds=2')
    for (const shell of shells) {
      const { commands } = parseBundle(runIn(node.root, [shell, '-s'], hasty), shell)
      expect(commands.get(probes.k3sVersion)?.exit).toBeGreaterThan(123)
      const others = (all: typeof commands) => [...all].filter(([line]) => line !== probes.k3sVersion)
      expect(others(commands)).toEqual(expect.arrayContaining(others(good ?? new Map())))
    }
  })

  test('without sudo says what it could not read, and reads the rest', async () => {
    const node = await lab.startNode('no-sudo', bundleOf(k3osNode()), { sudo: false })
    const bundle = await collect(node)
    const facts = nodeFacts(bundle, { epochSeconds: 1_700_000_000 })
    expect(facts.hostname).toBe('n1')
    expect(facts.k3s).toMatchObject({ role: 'server', hasNodePassword: null, datastore: 'unknown' })
    const what = facts.failures.map((failure) => failure.what)
    expect(what).toContain('root')
    expect(what).toContain('/etc/rancher/node/password')
    expect(bundle.errors.get('/k3os/system/config.yaml')).toBe('permission denied')
  })

  test('below a directory it may not enter, nothing is called absent', async () => {
    const node = await lab.startNode('closed', bundleOf(k3osNode()), { sudo: false })
    execFileSync('chmod', ['700', join(node.root, 'var/lib/rancher/k3s/server')])
    const bundle = await collect(node)
    expect(bundle.errors.get('/var/lib/rancher/k3s/server/db/state.dqlite')).toBe('permission denied')
    expect(bundle.errors.get('/var/lib/rancher/k3s/server/tls/*.crt')).toBe('permission denied')
    expect([...bundle.absent].filter((path) => path.startsWith('/var/lib/rancher/k3s/server'))).toEqual([])
  })

  test('without optional tools is complete and names what it could not ask', async () => {
    const changes = { commands: Object.fromEntries(Object.values(probes).map((probe) => [probe, undefined])) }
    const node = await lab.startNode('bare', bundleOf(k3osNode(changes)))
    await node.stop()
    for (const tool of ['timeout', 'renice', 'ip', 'df', 'du', 'sysctl', 'id', 'blkid', 'lsblk', 'k3s'])
      rmSync(join(node.root, 'usr/bin', tool), { force: true })
    const facts = nodeFacts(parseBundle(runIn(node.root, bash), 'bare'))
    expect(facts.hostname).toBe('n1')
    expect(facts.disks).toEqual([])
    for (const what of [probes.disks, probes.k3sVersion, probes.stateSpace, probes.addressesText])
      expect(facts.failures).toContainEqual({ what, reason: 'not installed on the node' })
  })

  describe('with one tool less', () => {
    /** What the answer of each tool is needed for; nothing but that may be missing. */
    const optional: Readonly<Record<string, readonly string[]>> = {
      timeout: [],
      renice: [],
      ionice: [],
      tail: [],
      sed: [],
      awk: [],
      sysctl: [],
      blkid: [],
      findmnt: [],
      id: [],
      df: [probes.stateSpace],
      du: [
        '/var/lib/rancher/k3s/server/db',
        '/var/lib/rancher/k3s/storage',
        '/var/log',
        '/home',
        '/root',
        '/var/lib/rancher/k3s/storage/pvc-11111111-2222-3333-4444-555555555555_default_data',
      ].map(usageProbe),
      ip: [probes.addressesText],
      lsblk: [probes.disks],
      k3s: [probes.k3sVersion],
      k3os: [probes.ownConfiguration],
      uname: [probes.kernel, probes.machine],
    }
    let node: SshNode
    beforeAll(async () => {
      node = await lab.startNode('tools', bundleOf(k3osNode({ commands: { 'id -u': '0\n' } })))
      await node.stop()
      copyFileSync('/bin/dash', join(node.root, 'usr/bin/dash'))
    })

    test.each(
      Object.entries(optional).flatMap(([tool, unknown]) =>
        ['bash', 'dash'].map((shell) => ({ tool, shell, unknown })),
      ),
    )('without $tool in $shell', ({ tool, shell, unknown }) => {
      const path = join(node.root, 'usr/bin', tool)
      const there = existsSync(path)
      if (there) renameSync(path, `${path}.away`)
      try {
        const facts = nodeFacts(parseBundle(runIn(node.root, [shell, '-s']), tool), {
          epochSeconds: 1_700_000_000,
        })
        expect(facts.failures.map(({ what }) => what).toSorted()).toEqual([...unknown].toSorted())
        expect(facts.hostname).toBe('n1')
      } finally {
        if (there) renameSync(`${path}.away`, path)
      }
    })
  })

  test.each([['bash'], ['dash']])(
    'goes without a timeout(1) of another form, as old busybox has it, in %s',
    async (shell) => {
      const node = await lab.startNode(`old-timeout-${shell}`, bundleOf(k3osNode()))
      await node.stop()
      copyFileSync('/bin/dash', join(node.root, 'usr/bin/dash'))
      const timeout = join(node.root, 'usr/bin/timeout')
      rmSync(timeout)
      writeFileSync(timeout, "#!/bin/sh\necho \"timeout: can't execute '$1'\" >&2\nexit 127\n", {
        mode: 0o755,
      })
      const { failures, k3s } = nodeFacts(parseBundle(runIn(node.root, [shell, '-s']), shell), {
        epochSeconds: 1_700_000_000,
      })
      expect(failures.map(({ what }) => what)).toEqual([])
      expect(k3s.version).toBe('v1.21.5+k3s2')
    },
  )

  test('takes no link for another, whatever their names', async () => {
    const nets = '/sys/class/net'
    const links = {
      [`${nets}/a`]: "b' -> 'c",
      [`${nets}/d e`]: 'f g',
      [`${nets}/it's`]: 'h',
      [`${nets}/i`]: "j\n'/sys/class/net/it's' -> 'k",
    }
    const node = await lab.startNode('links', bundleOf(k3osNode({ links })))
    await node.stop()
    for (const tools of ['with', 'without'] as const) {
      if (tools === 'without') rmSync(join(node.root, 'usr/bin/awk'))
      const read = parseBundle(runIn(node.root, bash), tools).links
      for (const [path, target] of Object.entries(links))
        expect([path, read.get(path)]).toEqual([path, target])
    }
  })

  describe.each([['with'], ['without']])('%s timeout(1)', (how) => {
    test.each([
      ['hangs', 'exec sleep 600'],
      ['hangs and cannot be ended', "trap '' TERM INT HUP; while :; do sleep 1; done"],
    ])('leaves a command after its time that %s', async (what, script) => {
      const node = await lab.startNode(`${how}-${what.length}`, bundleOf(k3osNode()))
      await node.stop()
      const lsblk = join(node.root, 'usr/bin/lsblk')
      writeFileSync(lsblk, `#!/bin/sh\necho begun\necho $$ >>/hung\n${script}\n`, { mode: 0o755 })
      if (how === 'without') rmSync(join(node.root, 'usr/bin/timeout'))
      const hasty = collectorScript().replace(/^run_seconds=\d+/m, 'run_seconds=1')
      const facts = nodeFacts(parseBundle(runIn(node.root, bash, hasty), 'hang'))
      for (const pid of readFileSync(join(node.root, 'hung'), 'utf8').trim().split('\n'))
        spawnSync('kill', ['-9', pid])
      expect(facts.failures).toContainEqual({ what: probes.disks, reason: 'it did not end within its time' })
      expect(facts.k3s.version).toBe('v1.21.5+k3s2')
    })
  })

  test('ends when the time for all commands is over, and says what it did not ask', async () => {
    const node = await lab.startNode('slow', bundleOf(k3osNode()))
    await node.stop()
    for (const tool of ['k3os', 'k3s', 'lsblk'])
      writeFileSync(join(node.root, 'usr/bin', tool), '#!/bin/sh\nexec sleep 600\n', { mode: 0o755 })
    const hasty = collectorScript()
      .replace(/^run_seconds=\d+/m, 'run_seconds=2')
      .replace(/^all_seconds=\d+/m, 'all_seconds=3')
    const facts = nodeFacts(parseBundle(runIn(node.root, bash, hasty), 'slow'))
    expect(facts.failures).toContainEqual({
      what: probes.disks,
      reason: 'the time for all commands was used up',
    })
  })

  test('touches nothing on network file systems, whose server may be dead', async () => {
    const mounts = '/dev/sda1 / ext4 rw 0 0\nnas:/v /var/lib/rancher/k3s/storage nfs4 rw 0 0\n'
    const files = { '/proc/mounts': `${mounts}nas:/h /home nfs rw 0 0\n` }
    const node = await lab.startNode('nas', bundleOf(k3osNode({ files })))
    await node.stop()
    const bundle = parseBundle(runIn(node.root, bash), 'nas')
    const reason = 'it is on a network file system, which is not touched'
    expect(bundle.errors.get('du -skx /home')).toBe(reason)
    expect(bundle.errors.get('/home/rancher/.ssh/authorized_keys')).toBe(reason)
    expect(bundle.errors.get('/var/lib/rancher/k3s/storage/*')).toBe(reason)
    expect(nodeFacts(bundle).failures).toContainEqual({ what: 'du -skx /home', reason })
  })

  test('runs nothing when the script arrives cut off', async () => {
    const node = await lab.startNode('cut', bundleOf(k3osNode()))
    await node.stop()
    const script = collectorScript()
    const cut = script.slice(0, script.lastIndexOf('collect </dev/null'))
    expect(runIn(node.root, ['sh', '-s'], cut).toString()).toBe('')
  })

  test('only sees a file that is too large, and says what is no file', async () => {
    const node = await lab.startNode('large', bundleOf(k3osNode()))
    await node.stop()
    const large = join(node.root, 'var/lib/rancher/k3os/config.d/large')
    writeFileSync(large, Buffer.alloc(1024 * 1024 + 1))
    execFileSync('mkfifo', [join(node.root, 'var/lib/rancher/k3os/config.d/pipe')])
    const bundle = parseBundle(runIn(node.root, ['sh', '-s']), 'large')
    expect(bundle.seen.get('/var/lib/rancher/k3os/config.d/large')?.sizeBytes).toBe(1024 * 1024 + 1)
    expect(bundle.errors.get('/var/lib/rancher/k3os/config.d/pipe')).toBe(
      'it is neither a file nor a directory',
    )
  })

  test('finds local-path volumes where k3s was told to put them', async () => {
    const volume = '/data/volumes/pvc-99999999-2222-3333-4444-555555555555_shop_db'
    const files = {
      [`${volume}/f`]: 'x'.repeat(5000),
      '/etc/rancher/k3s/config.yaml': 'default-local-storage-path: "/data/volumes/"\n',
    }
    const bundle = await collect(await lab.startNode('elsewhere', bundleOf(k3osNode({ files }))))
    const found = nodeFacts(bundle).localVolumes.find(({ path }) => path === volume)
    expect(found?.bytes).toBeGreaterThanOrEqual(5000)
  })

  test('measures emptyDir volumes, also where the kubelet was told to keep them', async () => {
    const volume = (root: string) => `${root}/pods/0a1b/volumes/kubernetes.io~empty-dir/uploads`
    const service = 'command_args="agent --kubelet-arg=root-dir=/data/kubelet"\n'
    const files = {
      [`${volume('/var/lib/kubelet')}/f`]: 'x'.repeat(5000),
      [`${volume('/data/kubelet')}/f`]: 'x'.repeat(9000),
      '/etc/init.d/k3s-service': service,
    }
    const bundle = await collect(await lab.startNode('scratch', bundleOf(k3osNode({ files }))))
    const { usage } = nodeFacts(bundle)
    expect(usage[volume('/var/lib/kubelet')]).toBeGreaterThanOrEqual(5000)
    expect(usage[volume('/data/kubelet')]).toBeGreaterThanOrEqual(9000)
  })
})

/** Everything below a root with size and time of change, to see that nothing was touched. */
function listing(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => existsSync(join(root, path)))
    .map((path) => {
      const { size, mtimeMs, mode } = lstatSync(join(root, path))
      return `${path} ${size} ${mtimeMs} ${mode}`
    })
    .toSorted()
}
