import { byWhom, methods, downMs } from '../core/methods.ts'
import { pauseText } from '../core/competing.ts'
import { stepDefaults, type Plan } from '../core/plan.ts'
import { windowText } from '../core/windows.ts'
import { durationText } from './report/words.ts'
import { mark, plain } from './style.ts'
import { table } from './table.ts'

/** A plan for people: the order with its reasons, then what holds for all nodes. */
export function planText(plan: Plan, width: number): string {
  const rows = plan.nodes.map(({ name, role, address, keptData, soakMs, why }, place) => [
    String(place + 1),
    { text: name, role: 'name' as const },
    role,
    address.host,
    String(keptData.length),
    soakMs === 0 ? '-' : durationText(soakMs),
    why,
  ])
  const { method, policy, pauses, waivers } = plan
  const windows = policy.windows.map(windowText)
  const longest = Math.max(...plan.nodes.map(downMs))
  const facts: [string, string][] = [
    ['to', `${plan.target}, ${byWhom(method)}${method.keepsData ? ' (keeps the data)' : ''}`],
    ['cluster', `${plan.cluster.server}, ${plan.cluster.version}`],
    ['made', `${plan.metadata.createdAt}, to be used within ${policy.maxAgeHours} hours`],
    ['drain', drainText(policy)],
    ['windows', windows.length === 0 ? 'at any time' : windows.join('; ')],
    [
      'paused',
      pauses.length === 0 ? 'nothing' : `until the last node is done: ${pauses.map(pauseText).join(', ')}`,
    ],
    ['waivers', waivers.length === 0 ? 'none' : waivers.map(({ key }) => key).join(', ')],
    ['digest', plan.digest],
  ]
  return [
    table(['#', 'NODE', 'ROLE', 'HOST', 'KEPT DATA', 'WATCHED', 'WHY HERE'], rows, { width }),
    '\n',
    ...facts.map(([name, value]) => `${name.padEnd(9)}${plain(value)}\n`),
    mark('dim', undoText(plan, longest)),
    '\n',
  ].join('')
}

function drainText({ drainMode, onDrainFailure }: Plan['policy']): string {
  const manner = drainMode === 'strict' ? 'until the node is seen to be empty' : 'as kubectl drain does'
  return `${manner}; a node that cannot be drained ${afterFailure[onDrainFailure]}`
}

const afterFailure: Readonly<Record<Plan['policy']['onDrainFailure'], string>> = {
  auto: 'stays cordoned until resumed when the run is at a terminal, and is uncordoned elsewhere',
  pause: 'stays cordoned until resumed',
  uncordon: 'is uncordoned',
}

function undoText({ method, policy }: Plan, longestMs: number): string {
  const { forwardFrom, canRevert } = methods[method.kind]
  const undone = policy.onDrainFailure === 'uncordon' ? 'everything' : 'everything but a drain'
  const step = `"${stepDefaults[forwardFrom].title}"`
  const down = `a node is away for at worst ${durationText(longestMs)}`
  return canRevert
    ? `before the step ${step} ${undone} is undone on failure; after it "k3os-migrate revert NODE" leads back, until "finalize"; ${down}`
    : `from the step ${step} on a node can only go forward, at worst ${durationText(longestMs)}; before it ${undone} is undone on failure`
}
