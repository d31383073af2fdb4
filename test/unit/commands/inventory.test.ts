import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { inventory, type InventoryOptions, type InventoryPorts } from '../../../src/commands/inventory.ts'
import { systemClock } from '../../../src/adapters/clock.ts'
import { formatBundle } from '../../../src/core/bundle.ts'
import { MigrateError } from '../../../src/core/errors.ts'
import {
  type ClusterFacts,
  type Inventory,
  inventorySchema,
  type KubeNode,
} from '../../../src/core/inventory.ts'
import type { HostAddress } from '../../../src/migrate/ports.ts'
import { noObjects } from '../../support/inventory-parts.ts'
import { bundleOf, canaries, k3osNode } from '../../support/k3os-node.ts'
import { type RecordingIo, recordingIo } from '../../support/recording-io.ts'

const defaults: InventoryOptions = {
  host: [],
  cluster: false,
  user: 'rancher',
  port: 22,
  parallel: 8,
  timeout: 60_000,
  out: 'inv',
  output: 'table',
}

/** The archive of a node with this host name and these changes. */
function archive(hostname: string, bootId = `boot-${hostname}`): Uint8Array {
  const files = {
    '/proc/sys/kernel/hostname': `${hostname}\n`,
    '/proc/sys/kernel/random/boot_id': `${bootId}\n`,
    '/sys/class/dmi/id/product_uuid': `uuid-${hostname}\n`,
  }
  return new TextEncoder().encode(formatBundle(bundleOf(k3osNode({ files }))))
}

interface Ran {
  readonly io: RecordingIo
  readonly exit: number
  readonly document: Inventory
  readonly written: ReadonlyMap<string, { content: string | Uint8Array; mode: number }>
  readonly moved: readonly string[]
  readonly removed: readonly string[]
}

interface World {
  readonly collect?: (address: HostAddress) => Promise<Uint8Array>
  readonly collectInPod?: (node: string) => Promise<Uint8Array>
  readonly files?: Readonly<Record<string, string | Uint8Array>>
  readonly cluster?: ClusterFacts | MigrateError
  readonly signal?: AbortSignal
}

async function run(options: Partial<InventoryOptions>, world: World = {}): Promise<Ran> {
  const written = new Map<string, { content: string | Uint8Array; mode: number }>()
  const files = new Map(Object.entries(world.files ?? {}))
  const moved: string[] = []
  const removed: string[] = []
  const ports: InventoryPorts = {
    host: {
      collect: (address) => (world.collect ?? (({ name }) => Promise.resolve(archive(name))))(address),
      readFile: () => Promise.reject(new Error('not used')),
    },
    sshDefaults: () => ({}),
    owner: 'me@here',
    connectPods: () =>
      Promise.resolve({
        collect: (node) => (world.collectInPod ?? (() => Promise.resolve(archive(node))))(node),
        cleanUp: () => Promise.resolve({ removed: ['kube-system/a'], left: ['kube-system/b (of sam@desk)'] }),
      }),
    connectCluster() {
      const { cluster: facts = cluster([]) } = world
      if (facts instanceof MigrateError) return Promise.reject(facts)
      return Promise.resolve({ read: () => Promise.resolve(facts) })
    },
    clock: { ...systemClock, now: () => new Date('2023-11-14T22:13:20Z') },
    files: {
      read: (path) => {
        const content = files.get(path)
        return Promise.resolve(typeof content === 'string' ? new TextEncoder().encode(content) : content)
      },
      names: (directory) => {
        const below = [...files.keys()].filter((path) => path.startsWith(`${directory}/`))
        return Promise.resolve(
          below.length === 0 ? undefined : below.map((path) => path.slice(directory.length + 1)),
        )
      },
      write: (path, content, mode) => {
        written.set(path, { content, mode })
        return Promise.resolve()
      },
      move: (from, to) => {
        moved.push(`${from} -> ${to}`)
        return Promise.resolve()
      },
      remove: (path) => {
        removed.push(path)
        return Promise.resolve()
      },
      sha256: () => 'digest',
    },
  }
  const io = recordingIo('/tool', world.signal === undefined ? {} : { signal: world.signal })
  const exit = await inventory({ ...defaults, ...options }, io, ports)
  const document = inventorySchema.parse(parse(String(written.get('/tool/inv/inventory.yaml')?.content)))
  return { io, exit, document, written, moved, removed }
}

function kubeNode(name: string, changes: Partial<KubeNode> = {}): KubeNode {
  return {
    name,
    uid: `uid-${name}`,
    labels: {},
    annotations: {},
    taints: [],
    unschedulable: false,
    ready: true,
    podCidr: null,
    addresses: [{ type: 'InternalIP', address: `10.0.0.${name.slice(-1)}` }],
    bootId: `boot-${name}`,
    machineId: '',
    systemUuid: '',
    osImage: 'k3OS v0.21.5-k3s2r1',
    kernelVersion: '',
    kubeletVersion: '',
    architecture: 'amd64',
    allocatable: {},
    ...changes,
  }
}

function cluster(nodes: KubeNode[]): ClusterFacts {
  return {
    server: 'https://10.0.0.1:6443',
    uid: 'u',
    version: 'v1.21.5+k3s2',
    nodes,
    pods: [],
    pdbs: [],
    persistentVolumes: [],
    daemonSets: [],
    upgradePlans: [],
    failures: [],
    ...noObjects,
  }
}

const names = ({ document }: Ran): string[] => document.nodes.map((node) => node.name)
const lost = new MigrateError('cannot reach it', { exitCode: 74, hint: 'look at it' })

describe('which nodes', () => {
  test('arguments and a hosts file, each with its own port and user', async () => {
    const asked: HostAddress[] = []
    const ran = await run(
      { host: ['n1=10.0.0.1'], hosts: 'hosts', port: 2222 },
      {
        files: { '/tool/hosts': 'root@10.0.0.2:22 # second\n' },
        collect: (address) => {
          asked.push(address)
          return Promise.resolve(archive(address.name))
        },
      },
    )
    expect(asked).toEqual([
      { name: 'n1', host: '10.0.0.1', port: 2222, user: 'rancher' },
      { name: '10.0.0.2', host: '10.0.0.2', port: 22, user: 'root' },
    ])
    expect(ran.document.nodes.map((node) => node.address)).toEqual(['root@10.0.0.2', '10.0.0.1:2222'])
  })

  test('none given: the k3OS nodes of the cluster; others are named, not forgotten', async () => {
    const nodes = [
      kubeNode('n1'),
      kubeNode('n2', { osImage: 'Debian GNU/Linux 13' }),
      kubeNode('n3', { osImage: '', labels: { 'k3os.io/mode': 'local' } }),
    ]
    const ran = await run({ cluster: true }, { cluster: cluster(nodes) })
    expect(names(ran)).toEqual(['n1', 'n3'])
    expect(ran.io.stderr()).toContain('the node n2 is left out: it runs Debian GNU/Linux 13')
    expect(ran.exit).toBe(0)
  })

  test('a k3OS node of the cluster that was not asked for is named', async () => {
    const world = { cluster: cluster([kubeNode('n1'), kubeNode('n2')]) }
    const ran = await run(
      { host: ['10.0.0.1'], cluster: true },
      { ...world, collect: () => Promise.resolve(archive('n1')) },
    )
    expect(names(ran)).toEqual(['n1'])
    expect(ran.io.stderr()).toContain('the k3OS node n2 of the cluster was not read')
  })

  test('a Node without an address is a row with an error', async () => {
    const ran = await run({ cluster: true }, { cluster: cluster([kubeNode('n1', { addresses: [] })]) })
    expect(ran.document.nodes).toMatchObject([{ name: 'n1', status: 'error', address: null }])
    expect(ran.exit).toBe(3)
  })

  test.each<[string, Partial<InventoryOptions>, World, number, RegExp]>([
    ['no host and no cluster', {}, {}, 64, /no host is given, and the cluster is not to be asked/],
    [
      'no host and the cluster fails',
      { cluster: true },
      { cluster: lost },
      3,
      /does not say which there are/,
    ],
    ['a cluster without k3OS', { cluster: true }, {}, 3, /none of the 0 nodes/],
    ['a host twice', { host: ['10.0.0.1', 'n1=10.0.0.1'] }, {}, 64, /10\.0\.0\.1:22 is given twice/],
    ['a name twice', { host: ['n1=10.0.0.1', 'n1=10.0.0.2'] }, {}, 64, /name n1 is given twice/],
    ['a missing hosts file', { hosts: 'none' }, {}, 74, /cannot read none: it does not exist/],
    ['hosts and archives', { host: ['n1'], fromDir: 'd' }, {}, 64, /takes no hosts/],
    ['an empty folder', { fromDir: 'd' }, {}, 74, /there is no \*\.bundle in d/],
  ])('%s is refused', async (_name, options, world, exitCode, message) => {
    await expect(run(options, world)).rejects.toMatchObject({
      exitCode,
      message: expect.stringMatching(message),
      hint: expect.any(String),
    })
  })
})

describe('names', () => {
  const byHost = (hosts: Record<string, Uint8Array>): World => ({
    collect: ({ host }) => Promise.resolve(hosts[host] ?? new Uint8Array()),
  })

  test('the Node with the same boot ID gives the name, whatever the machine calls itself', async () => {
    const ran = await run(
      { host: ['10.0.0.9'], cluster: true },
      { ...byHost({ '10.0.0.9': archive('k3os-1234', 'boot-n1') }), cluster: cluster([kubeNode('n1')]) },
    )
    expect(names(ran)).toEqual(['n1'])
  })

  test('without a cluster it is the host name', async () => {
    expect(names(await run({ host: ['10.0.0.1'] }, byHost({ '10.0.0.1': archive('N1') })))).toEqual(['n1'])
  })

  test('two machines of one host name keep their addresses', async () => {
    const hosts = byHost({ '10.0.0.1': archive('k3os'), '10.0.0.2': archive('k3os') })
    const ran = await run({ host: ['10.0.0.1', '10.0.0.2'] }, hosts)
    expect(names(ran)).toEqual(['10.0.0.1', '10.0.0.2'])
    expect(ran.written.has('/tool/inv/bundles/10.0.0.1.bundle')).toBe(true)
  })

  test('what the user says settles it', async () => {
    const ran = await run({ host: ['shop=10.0.0.1'] }, byHost({ '10.0.0.1': archive('k3os') }))
    expect(names(ran)).toEqual(['shop'])
  })

  test('an address with colons makes a plain file name', async () => {
    const ran = await run({ host: ['fd00::5'] }, { collect: () => Promise.reject(lost) })
    expect(names(ran)).toEqual(['fd00::5'])
    const read = await run(
      { host: ['fd00::5', 'fd00::6'] },
      { collect: () => Promise.resolve(archive('same')) },
    )
    expect([...read.written.keys()]).toContain('/tool/inv/bundles/fd00--5.bundle')
  })
})

describe('a node that cannot be read', () => {
  test('is a row with the reason, exit 3, and says on stderr what to do', async () => {
    const ran = await run(
      { host: ['n1', 'n2'] },
      { collect: ({ name }) => (name === 'n1' ? Promise.reject(lost) : Promise.resolve(archive(name))) },
    )
    expect(ran.document.nodes).toMatchObject([
      { name: 'n1', status: 'error', reason: 'cannot reach it' },
      { name: 'n2', status: 'read' },
    ])
    expect(ran.io.stdout()).toMatch(/^n1 .*not read: cannot reach it$/m)
    expect(ran.io.stderr()).toContain('hint: look at it')
    expect(ran.exit).toBe(3)
  })

  test('a broken archive is one, with file and line', async () => {
    const ran = await run(
      { fromDir: 'd' },
      { files: { '/tool/d/a.bundle': archive('a'), '/tool/d/b.bundle': 'k3os-migrate-bundle 1\n' } },
    )
    expect(ran.document.nodes).toMatchObject([
      { name: 'a', status: 'read', how: 'bundle a.bundle', readAt: '2023-11-14T22:13:30.000Z' },
      {
        name: 'b',
        status: 'error',
        reason: '/tool/d/b.bundle:2: the bundle is cut off: its last line is missing',
      },
    ])
  })

  test('a cluster that does not answer is kept as that, and is not success', async () => {
    const ran = await run({ host: ['n1'], cluster: true }, { cluster: lost })
    expect(ran.document.cluster).toEqual({ status: 'error', reason: 'cannot reach it' })
    expect(ran.exit).toBe(3)
  })

  test('archives alone ask no cluster', async () => {
    const world = { cluster: lost, files: { '/tool/d/a.bundle': archive('a') } }
    expect((await run({ fromDir: 'd', cluster: true }, world)).document.cluster).toBeNull()
    expect((await run({ fromDir: 'd', cluster: true, context: 'c' }, world)).document.cluster?.status).toBe(
      'error',
    )
  })

  test('a mistake of our own is no row', async () => {
    await expect(
      run({ host: ['n1'] }, { collect: () => Promise.reject(new TypeError('bug')) }),
    ).rejects.toThrow('bug')
  })
})

test('never more nodes at once than allowed, and all of them', async () => {
  let now = 0
  let most = 0
  const host = Array.from({ length: 25 }, (_, index) => `n${index}`)
  const ran = await run(
    { host, parallel: 3 },
    {
      async collect({ name }) {
        now += 1
        most = Math.max(most, now)
        await new Promise((resolve) => setImmediate(resolve))
        now -= 1
        return archive(name)
      },
    },
  )
  expect(most).toBe(3)
  expect(ran.document.nodes).toHaveLength(25)
})

test('stopped in the middle writes nothing', async () => {
  const stop = new AbortController()
  const collect = (): Promise<Uint8Array> => {
    stop.abort('SIGINT')
    return Promise.reject(new Error('SIGINT'))
  }
  await expect(
    run({ host: ['n1', 'n2'], parallel: 1 }, { collect, signal: stop.signal }),
  ).rejects.toMatchObject({
    exitCode: 130,
    message: 'stopped before every node was read; nothing was written',
  })
})

describe('output', () => {
  test.each(['json', 'yaml'] as const)('%s is the document that was written', async (output) => {
    const ran = await run({ host: ['n2', 'n1'], output })
    expect(parse(ran.io.stdout())).toEqual(ran.document)
    expect(names(ran)).toEqual(['n1', 'n2'])
  })

  test('bundles are private, and hold what nothing else says', async () => {
    const ran = await run({ host: ['n1'], output: 'yaml' })
    expect(ran.written.get('/tool/inv/bundles/n1.bundle')?.mode).toBe(0o600)
    const said =
      ran.io.stdout() + ran.io.stderr() + String(ran.written.get('/tool/inv/inventory.yaml')?.content)
    for (const canary of Object.values(canaries)) expect(said).not.toContain(canary)
  })
})

describe('an inventory that is there already', () => {
  const older = async (world: World = {}) => {
    const first = await run({ host: ['n1=10.0.0.1', 'n2=10.0.0.2'] }, world)
    return { '/tool/inv/inventory.yaml': String(first.written.get('/tool/inv/inventory.yaml')?.content) }
  }
  const n2Fails = (address: HostAddress) =>
    address.name === 'n2' ? Promise.reject(lost) : Promise.resolve(archive(address.name))

  test('is kept with its bundles, which an inventory of fewer nodes would leave behind', async () => {
    const ran = await run({ host: ['n1=10.0.0.1'] }, { files: await older() })
    expect(ran.removed).toEqual(['/tool/inv/previous'])
    expect(ran.moved).toEqual([
      '/tool/inv/bundles/n1.bundle -> /tool/inv/previous/bundles/n1.bundle',
      '/tool/inv/bundles/n2.bundle -> /tool/inv/previous/bundles/n2.bundle',
      '/tool/inv/inventory.yaml -> /tool/inv/previous/inventory.yaml',
    ])
    expect(ran.io.stderr()).not.toContain('previous')
  })

  test('is named when the new one has gaps', async () => {
    const ran = await run(
      { host: ['n1=10.0.0.1', 'n2=10.0.0.2'] },
      { files: await older(), collect: n2Fails },
    )
    expect(ran.exit).toBe(3)
    expect(ran.io.stderr()).toContain('the last whole inventory is kept in /tool/inv/previous/inventory.yaml')
  })

  test('and has gaps never takes the place of a whole one', async () => {
    const files = await older({ collect: n2Fails })
    const ran = await run({ host: ['n2=10.0.0.2'] }, { files })
    expect(ran.moved).toEqual([])
    expect(ran.removed).toEqual(['/tool/inv/bundles/n1.bundle'])
  })

  test('of another version is moved out of the way', async () => {
    const files = { '/tool/inv/inventory.yaml': 'apiVersion: k3os-migrate/v9\nkind: Inventory\n' }
    const ran = await run({ host: ['n1=10.0.0.1'] }, { files })
    expect(ran.moved).toEqual(['/tool/inv/inventory.yaml -> /tool/inv/inventory.yaml.previous'])
    expect(ran.io.stderr()).toContain('inventory.yaml.previous')
  })

  test('cannot name files outside of its folder for removal', async () => {
    const file = '/tool/inv/inventory.yaml'
    const text = (await older({ collect: n2Fails }))[file]
    const ran = await run(
      { host: ['n2=10.0.0.2'] },
      { files: { [file]: text.replace('bundles/n1.bundle', 'bundles/../../../etc/n1.bundle') } },
    )
    expect(ran.removed).toEqual([])
  })
})

describe('through pods', () => {
  const nodes = cluster([kubeNode('n1'), kubeNode('n2'), kubeNode('n3', { osImage: 'Debian GNU/Linux 12' })])
  const viaPod = { cluster: true, viaPod: true, image: 'busybox:1.36' }

  test('every k3OS node of the cluster, said before it begins', async () => {
    const ran = await run(viaPod, { cluster: nodes })
    expect(names(ran)).toEqual(['n1', 'n2'])
    expect(ran.document.nodes[0]).toMatchObject({ how: 'pod with busybox:1.36 on n1', address: '10.0.0.1' })
    expect(ran.io.stderr()).toContain('gets a privileged pod with the image busybox:1.36, which is removed')
  })

  test('or only those that are named; one that fails is a row', async () => {
    const ran = await run(
      { ...viaPod, host: ['n2'] },
      { cluster: nodes, collectInPod: () => Promise.reject(lost) },
    )
    expect(ran.exit).toBe(3)
    expect(ran.document.nodes).toMatchObject([{ name: 'n2', status: 'error', reason: 'cannot reach it' }])
  })

  test.each<[string, Partial<InventoryOptions>, RegExp]>([
    ['without an image', { ...viaPod, image: undefined }, /needs an image/],
    ['a node that is not there', { ...viaPod, host: ['n9'] }, /no k3OS node "n9"/],
    ['a hosts file', { ...viaPod, hosts: 'hosts' }, /no hosts file/],
  ])('%s is a mistake', async (_what, options, message) => {
    await expect(run(options, { cluster: nodes })).rejects.toMatchObject({
      exitCode: 64,
      message: expect.stringMatching(message),
      hint: expect.any(String),
    })
  })
})

describe('Helm releases', () => {
  test.each<[string, Partial<InventoryOptions>]>([
    ['without the cluster', { cluster: false, helmReleases: true, host: ['n1=10.0.0.1'] }],
    ['from a folder without a kubeconfig', { cluster: true, helmReleases: true, fromDir: '/collected' }],
  ])('%s are a mistake', async (_what, options) => {
    await expect(run(options)).rejects.toMatchObject({
      exitCode: 64,
      message: '--helm-releases asks the cluster, which is left out',
    })
  })
})
