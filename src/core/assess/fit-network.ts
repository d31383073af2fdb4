import type { NetworkInterface, NodeFacts } from '../inventory.ts'
import type { Requirements } from '../requirements.ts'
import { fitReasons } from '../rules/assess-fit.ts'
import { because, type Comparison } from './fit-comparison.ts'

/**
 * Linux drivers of network cards that ask for a file of linux-firmware at their start and do little or nothing without it
 * (kernel.org linux-firmware WHENCE); `r8169` and `e100` run without theirs.
 */
const driversWithFirmware: ReadonlySet<string> = new Set([
  'bnx2',
  'bnx2x',
  'cxgb3',
  'cxgb4',
  'liquidio',
  'myri10ge',
  'netxen_nic',
  'nfp',
  'qed',
  'qede',
  'qlcnic',
  'slicoss',
])

/** Can it reach the network after the move? Nobody stands beside these machines. */
export function networkComparisons(facts: NodeFacts, { network }: Requirements): Comparison[] {
  const wired = facts.interfaces.filter(({ driver, wireless }) => driver !== null && !wireless)
  return [
    ...(network === undefined ? [] : wired.flatMap((port) => cardComparison(port, facts, network))),
    ...wifiComparison(facts, network),
  ]
}

type Network = NonNullable<Requirements['network']>

/** A card that carries no route can be done without; one that does decides. */
function cardComparison(
  { name, driver }: NetworkInterface,
  facts: NodeFacts,
  { lacksDrivers, cardFirmware }: Network,
): Comparison[] {
  if (driver === null) return []
  if (lacksDrivers.includes(driver))
    return [
      because(
        carriesRoute(name, facts) ? 'blocks' : 'changes',
        'FIT-NIC-DRIVER',
        fitReasons['FIT-NIC-DRIVER'](name, driver),
      ),
    ]
  return cardFirmware === 'separate' && driversWithFirmware.has(driver)
    ? [because('changes', 'FIT-NIC-FIRMWARE', fitReasons['FIT-NIC-FIRMWARE'](name, driver))]
    : []
}

function carriesRoute(port: string, { defaultGateways, interfaces }: NodeFacts): boolean {
  const isCard = (device: string): boolean =>
    interfaces.some(({ name, driver, wireless }) => name === device && (driver !== null || wireless))
  // A bond, bridge or VLAN carries the route through cards that are not named here: it may be any of them.
  if (defaultGateways.length > 0)
    return defaultGateways.some(({ device }) => device === port || !isCard(device))
  return interfaces.some(({ name, addresses }) => name === port && addresses.length > 0)
}

function wifiComparison(facts: NodeFacts, network: Network | undefined): Comparison[] {
  const port = facts.interfaces.find(({ name, wireless }) => wireless && carriesRoute(name, facts))
  if (port === undefined || network?.wifi === 'works') return []
  return network?.wifi === 'none'
    ? [because('blocks', 'FIT-WIFI', fitReasons['FIT-WIFI'](port.name))]
    : [because('changes', 'FIT-WIFI-SETUP', fitReasons['FIT-WIFI-SETUP'](port.name))]
}
