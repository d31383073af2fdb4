import { describe, expect, it } from 'vitest'
import { exitCode, MigrateError } from '../../../src/core/errors.ts'
import type { Leftover } from '../../../src/core/finalize.ts'
import { readGrubEnvironment } from '../../../src/core/in-place/grubenv.ts'
import type { Plan } from '../../../src/core/plan.ts'
import { revertNode } from '../../../src/migrate/revert.ts'
import { actionsFor } from '../../../src/migrate/finalize.ts'
import { withAround } from '../../../src/migrate/port-calls.ts'
import type { SimNode } from '../../../src/simulation/world.ts'
import { noteEffects } from '../../support/world-effects.ts'
import { inPlace, Killed, simulate, smallScenario, type Simulated } from '../../support/simulated-run.ts'

const onlyA = (plan: Plan): Plan => inPlace({ ...plan, nodes: plan.nodes.filter(({ name }) => name === 'a') })

function machine({ world }: Simulated, name = 'a'): SimNode {
  const node = world.node(name)
  if (node === undefined) throw new Error(`there is no machine ${name}`)
  return node
}

/** What the next boots of a machine start, and what of a move lies on its disk. */
function onDisk(simulated: Simulated): object {
  const { disk } = machine(simulated)
  const variables = readGrubEnvironment(disk.block)
  return {
    tree: disk.tree !== null,
    menu: disk.menu !== null,
    armed: variables.get('next_entry') ?? '',
    settled: variables.get('saved_entry') ?? '',
  }
}

const asBefore = { tree: false, menu: false, armed: '', settled: '' }

/** The process dies when a command of this name is about to be sent to the machine, or was just sent. */
async function killedAt(simulated: Simulated, command: string, when: 'before' | 'after'): Promise<void> {
  const ports = withAround(simulated.ports, async ({ method, args }, send) => {
    const isIt = method === 'actInPlace' && (args[1] as readonly string[])[0] === command
    if (isIt && when === 'before') throw new Killed()
    const answer = await send()
    if (isIt) throw new Killed()
    return answer
  })
  await expect(simulated.start({ ports })).rejects.toThrow(Killed)
}

describe('a node that is moved in place', () => {
  it('runs the new system at every boot afterwards, and takes pods', async () => {
    const simulated = simulate(smallScenario(), onlyA)
    const { exit, error } = await simulated.start()
    expect([exit, error]).toEqual([0, null])
    expect(machine(simulated).system).toBe('new')
    expect(machine(simulated).kube.unschedulable).toBe(false)
    expect(onDisk(simulated)).toEqual({ tree: true, menu: true, armed: '', settled: 'k3os-migrate-debian-1' })
  })

  it('was restarted into k3OS first', async () => {
    const simulated = simulate(smallScenario(), onlyA)
    await simulated.start()
    const bootOf = (step: string): unknown =>
      simulated.journal.find((one) => one.step === step && one.phase === 'result')?.data['bootId']
    expect(
      new Set([bootOf('probe'), bootOf('trial'), simulated.world.source.machines[1]?.node.bootId]).size,
    ).toBe(3)
  })

  it.each([
    ['2046-11-10', 0, 'ends on 2046-11-19 although'],
    ['2046-11-18', exitCode.inhibitors, null],
  ])(
    'whose certificates still end soon after its probe reboot, on %s, is moved or not',
    async (today, code, told) => {
      const simulated = simulate(smallScenario(), onlyA)
      const { clock } = simulated.world
      // It is this day when certificates are looked at, and then again the day of the plan.
      let isLate = false
      const ports = withAround(simulated.ports, async ({ method }, send) => {
        const answer = await send()
        isLate =
          method === 'collect' &&
          simulated.events.some((event) => event.type === 'step.start' && event.step === 'probe')
        return answer
      })
      const now = clock.now.bind(clock)
      clock.now = () => (isLate ? new Date(`${today}T12:00:00Z`) : now())
      const { exit, error } = await simulated.start({ ports })
      expect([exit, error?.message]).toEqual([
        code,
        code === 0 ? undefined : expect.stringContaining('client-kubelet.crt ends on 2046-11-19'),
      ])
      const says = simulated.events.flatMap((event) =>
        event.type === 'step.progress' ? [event.message] : [],
      )
      expect(says.some((text) => text.includes('ends on 2046'))).toBe(told !== null)
      if (code !== 0)
        expect([onDisk(simulated), machine(simulated).kube.unschedulable]).toEqual([asBefore, false])
    },
  )

  it('is back in k3OS, Ready and without a trace, when the new system never answers', async () => {
    const simulated = simulate(smallScenario(), onlyA)
    simulated.world.trouble.neverReturns.add('a')
    const { exit, error } = await simulated.start()
    expect(exit).toBe(exitCode.rolledBack)
    expect(error?.message).toContain('a is back in k3OS by itself')
    expect(machine(simulated).system).toBe('k3os')
    expect(machine(simulated).kube).toMatchObject({ unschedulable: false, osImage: 'k3OS v0.21.5-k3s2r1' })
    expect(onDisk(simulated)).toEqual(asBefore)
  })

  it('goes back to k3OS when its data is not what it was', async () => {
    const simulated = simulate(smallScenario(), (plan) =>
      inPlace({ ...plan, nodes: plan.nodes.filter(({ name }) => name === 'b') }),
    )
    simulated.world.trouble.losesData.add('b')
    const { exit } = await simulated.start()
    expect(exit).toBe(exitCode.rolledBack)
    expect(machine(simulated, 'b').system).toBe('k3os')
    expect(machine(simulated, 'b').kube.unschedulable).toBe(false)
  })

  it.each([
    ['restart', 'after'],
    ['arm', 'after'],
    ['stop', 'after'],
    ['confirm', 'before'],
  ] as const)(
    'of a process that died at %s, %s, and was resumed hours later, is in k3OS or done',
    async (command, when) => {
      const simulated = simulate(smallScenario(), onlyA)
      await killedAt(simulated, command, when)
      await simulated.world.clock.sleep(4 * 3_600_000, new AbortController().signal)
      const { exit } = await simulated.start()
      const node = machine(simulated)
      if (exit === 0) expect(onDisk(simulated)).toMatchObject({ settled: 'k3os-migrate-debian-1' })
      else expect([exit, onDisk(simulated)]).toEqual([exitCode.rolledBack, asBefore])
      expect(node.system).toBe(exit === 0 ? 'new' : 'k3os')
      expect(simulated.world.kubeNode(node)).toMatchObject({ ready: true, unschedulable: false })
    },
  )

  it('is confirmed also when its connection fails at that very moment', async () => {
    const simulated = simulate(smallScenario(), onlyA)
    let failures = 0
    const ports = withAround(simulated.ports, async ({ method, args }, send) => {
      const isConfirm = method === 'actInPlace' && (args[1] as readonly string[])[0] === 'confirm'
      if (!isConfirm || failures === 3) return send()
      failures += 1
      throw new MigrateError('the connection was lost', { exitCode: exitCode.io })
    })
    expect((await simulated.start({ ports })).exit).toBe(0)
    expect([failures, onDisk(simulated)]).toEqual([
      3,
      expect.objectContaining({ settled: 'k3os-migrate-debian-1' }),
    ])
  })

  it('is back in k3OS, as it was, when k3s does not start under the new system', async () => {
    const simulated = simulate(smallScenario(), onlyA)
    const { ports } = simulated
    const node: typeof ports.kube.node = async (name, signal) => {
      const found = await ports.kube.node(name, signal)
      const isNew = simulated.world.node(name)?.system === 'new'
      return found === undefined || !isNew ? found : { ...found, ready: false }
    }
    const { exit } = await simulated.start({ ports: { ...ports, kube: { ...ports.kube, node } } })
    expect(exit).toBe(exitCode.rolledBack)
    expect(simulated.world.kubeNode(machine(simulated))).toMatchObject({ ready: true, unschedulable: false })
    expect(onDisk(simulated)).toEqual(asBefore)
  })

  it('that failed is moved by the next attempt', async () => {
    const simulated = simulate(smallScenario(), onlyA)
    simulated.world.trouble.neverReturns.add('a')
    await simulated.start()
    simulated.world.trouble.neverReturns.clear()
    expect((await simulated.start()).exit).toBe(0)
    expect(machine(simulated).system).toBe('new')
  })
})

describe('a node that must not be moved in place', () => {
  const looking = (simulated: Simulated, change: (look: string) => string) =>
    withAround(simulated.ports, async ({ method, args }, send) => {
      const answer = await send()
      const isLook = method === 'askInPlace' && (args[1] as readonly string[])[0] === 'look'
      return isLook ? change(String(answer)) : answer
    })

  it.each([
    ['PRE-INPLACE-SPACE', 'kilobytes=33554432 16777216', 'kilobytes=33554432 1048576'],
    ['PRE-INPLACE-INSTALL', 'device=/dev/sda1', 'device='],
    ['PRE-INPLACE-DISKS', 'etcd=', 'assembled=/dev/mapper/vg-root\netcd='],
    ['PRE-INPLACE-MODULES', 'debugfs=yes', 'debugfs=yes\nmissingModule=loadenv'],
    ['PRE-INPLACE-LABEL', 'stateLabels=1', 'stateLabels=2'],
    ['PRE-INPLACE-ERRORS', 'fsState=clean', 'fsState=clean with errors'],
  ])('is refused before anything is done to it: %s', async (rule, was, is) => {
    const simulated = simulate(smallScenario(), onlyA)
    const effects: string[] = []
    const ports = withAround(
      looking(simulated, (look) => look.replace(was, is)),
      noteEffects(simulated.world, effects),
    )
    const { exit, error } = await simulated.start({ ports })
    expect([exit, error?.message]).toEqual([exitCode.inhibitors, expect.stringContaining(`${rule}: a`)])
    expect(error?.hint).not.toBeUndefined()
    expect([effects, onDisk(simulated)]).toEqual([[], asBefore])
  })

  it('is refused with a boot menu that somebody has changed, line by line', async () => {
    const simulated = simulate(smallScenario(), onlyA)
    const ports = withAround(simulated.ports, async ({ method, args }, send) => {
      const answer = await send()
      return method === 'readFile' && args[1] === '/boot/grub/grub.cfg'
        ? `${String(answer)}set default=4\n`
        : answer
    })
    const { exit, error } = await simulated.start({ ports })
    expect([exit, error?.message]).toEqual([
      exitCode.inhibitors,
      expect.stringMatching(/^PRE-INPLACE-MENU: .*"set default=4"/),
    ])
    expect(onDisk(simulated)).toEqual(asBefore)
  })

  it.each([
    ['firmware nic nic/a.fw', 0, 'PRE-INPLACE-FIRMWARE: a: its driver nic may ask for nic/a.fw'],
    ['the driver nic', exitCode.inhibitors, null],
  ])('whose root tree lacks %s is moved, or not', async (line, code, told) => {
    const simulated = simulate(smallScenario(), onlyA)
    const ports = withAround(simulated.ports, async ({ method, args }, send) => {
      const answer = await send()
      return method === 'askInPlace' && (args[1] as readonly string[])[0] === 'drivers' ? `${line}\n` : answer
    })
    expect((await simulated.start({ ports })).exit).toBe(code)
    const says = simulated.events.flatMap((event) => (event.type === 'step.progress' ? [event.message] : []))
    expect(says.find((text) => text.startsWith('PRE-')) ?? null).toEqual(
      told === null ? null : expect.stringContaining(told),
    )
  })

  it('is refused when it says nothing of what must be known', async () => {
    const simulated = simulate(smallScenario(), onlyA)
    const { exit } = await simulated.start({
      ports: looking(simulated, (look) => look.replace(/^uuid=.*\n/m, '')),
    })
    expect(exit).toBe(exitCode.rolledBack)
    expect(onDisk(simulated)).toEqual(asBefore)
  })
})

describe('a node that is taken back', () => {
  const revert = async (simulated: Simulated, name = 'a') =>
    simulated.start({ act: async (job) => revertNode(job, name) })

  it('runs k3OS again, takes pods, and has nothing of the move on its disk', async () => {
    const simulated = simulate(smallScenario(), onlyA)
    await simulated.start()
    const { exit, error } = await revert(simulated)
    expect([exit, error]).toEqual([0, null])
    expect(machine(simulated).system).toBe('k3os')
    expect(simulated.world.kubeNode(machine(simulated))).toMatchObject({
      ready: true,
      unschedulable: false,
      osImage: 'k3OS v0.21.5-k3s2r1',
    })
    expect(onDisk(simulated)).toEqual(asBefore)
  })

  it('is not moved again by resuming the run', async () => {
    const simulated = simulate(smallScenario(), onlyA)
    await simulated.start()
    await revert(simulated)
    expect((await simulated.start()).exit).toBe(0)
    expect(machine(simulated).system).toBe('k3os')
  })

  it.each(['restart', 'remove', 'arm'])(
    'by a process that died after %s is back after another one',
    async (command) => {
      const simulated = simulate(smallScenario(), onlyA)
      await simulated.start()
      const ports = withAround(simulated.ports, async ({ method, args }, send) => {
        const answer = await send()
        if (method === 'actInPlace' && (args[1] as readonly string[])[0] === command) throw new Killed()
        return answer
      })
      const dying = simulated.start({ ports, act: async (job) => revertNode(job, 'a') })
      await expect(dying).rejects.toThrow(Killed)
      const resumed = await simulated.start()
      expect([resumed.exit, resumed.error?.hint]).toEqual([
        exitCode.needsOperator,
        expect.stringContaining('k3os-migrate revert a run-1'),
      ])
      const last = await revert(simulated)
      expect([last.exit, last.error?.message]).toEqual([0, undefined])
      expect(machine(simulated)).toMatchObject({ system: 'k3os' })
      expect(onDisk(simulated)).toEqual(asBefore)
    },
  )

  it('stays on the new system when it cannot be drained', async () => {
    const simulated = simulate(smallScenario(), onlyA)
    await simulated.start()
    simulated.world.scaleUp('shops', 'web')
    await simulated.world.clock.sleep(60_000, new AbortController().signal)
    expect(simulated.world.pods.some(({ node, name }) => node === 'a' && name.startsWith('web'))).toBe(true)
    const { ports } = simulated
    const impossible = { status: 'impossible', message: 'two budgets match' } as const
    const { exit } = await simulated.start({
      ports: { ...ports, kube: { ...ports.kube, evict: async () => impossible } },
      act: async (job) => revertNode(job, 'a'),
    })
    expect(exit).toBe(exitCode.blocked)
    expect(machine(simulated)).toMatchObject({ system: 'new', kube: { unschedulable: false } })
    // And it can be tried again.
    expect((await revert(simulated)).exit).toBe(0)
  })

  it.each([
    ['that was not moved', onlyA, false, 'does not run the new system'],
    ['of another method', (plan: Plan): Plan => plan, true, 'leaves no k3OS'],
  ] as const)('is refused when it is one %s', async (_, change, isMoved, words) => {
    const simulated = simulate(smallScenario(), change)
    if (isMoved) await simulated.start()
    const { exit, error } = await revert(simulated)
    expect([exit, error?.message]).toEqual([exitCode.usage, expect.stringContaining(words)])
  })
})

describe('k3OS on the disk of a node that was moved in place', () => {
  const item = (simulated: Simulated): Leftover => {
    const { name, address } = simulated.plan.nodes[0] ?? {
      name: '',
      address: { host: '', port: 0, user: '' },
    }
    return { kind: 'disk', node: name, address, tree: 'debian-1', mib: 300, why: 'test' }
  }
  const signal = new AbortController().signal
  const ports = ({ ports: { kube, host } }: Simulated): Parameters<typeof actionsFor>[1] => ({
    kube,
    host,
    leftovers: {
      upgradePlans: async () => [],
      uidOf: async () => undefined,
      remove: async () => {},
    },
  })

  it('goes with its entries in the boot menu, and then nothing leads back', async () => {
    const simulated = simulate(smallScenario(), onlyA)
    await simulated.start()
    const actions = await actionsFor(item(simulated), ports(simulated), signal)
    expect(actions.map(({ describe: text }) => text)).toEqual([
      'remove k3OS (300 MiB) on the disk of a, and from its boot menu',
    ])
    for (const action of actions) await action.run(signal)
    expect(machine(simulated).disk.menu).not.toContain('/k3os/system')
    expect(await actionsFor(item(simulated), ports(simulated), signal)).toEqual([])
    const { exit, error } = await simulated.start({ act: async (job) => revertNode(job, 'a') })
    expect([exit, error?.message]).toEqual([
      exitCode.inhibitors,
      expect.stringContaining('no k3OS on its disk'),
    ])
    expect(machine(simulated).kube.unschedulable).toBe(false)
  })

  it('stays as long as the new system is on trial', async () => {
    const simulated = simulate(smallScenario(), onlyA)
    await killedAt(simulated, 'confirm', 'before')
    await expect(actionsFor(item(simulated), ports(simulated), signal)).rejects.toMatchObject({
      exitCode: exitCode.inhibitors,
    })
  })
})

describe('the only server, moved in place', () => {
  it('is its own way back', async () => {
    const simulated = simulate(smallScenario(), (plan) =>
      inPlace({ ...plan, nodes: plan.nodes.filter(({ name }) => name === 's') }),
    )
    simulated.world.trouble.neverReturns.add('s')
    const { exit } = await simulated.start()
    expect(exit).toBe(exitCode.rolledBack)
    expect(simulated.world.kubeNode(machine(simulated, 's'))).toMatchObject({
      ready: true,
      unschedulable: false,
    })
  })
})
