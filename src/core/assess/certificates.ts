import type { Finding } from '../findings.ts'
import type { MachineCertificate } from '../machine-facts.ts'
import { dayNumber } from '../time-zone.ts'
import { aboutNode, type AssessContext, type Check, type Machine } from './context.ts'
import { found } from './found.ts'

/** How long the certificates of k3s still hold, counted from the day on which the machine was read. */
export const certificateChecks: readonly Check[] = [
  { rules: ['PRE-CERTS'], needs: ['machines'], run: certificates },
]

const leafDays = 30
const authorityDays = 180
/** Too late to move first and renew afterwards. */
const urgentDays = 2

function certificates({ machines }: AssessContext): Finding[] {
  return machines.flatMap((machine) => {
    const { entry, facts, runsK3os } = machine
    if (facts === null || entry?.status !== 'read' || !runsK3os) return []
    if (facts.certificates.length === 0) return facts.k3s.role === 'none' ? [] : [unread(machine)]
    const today = dayOf(entry.readAt)
    const dated = facts.certificates.map((one) => ({ ...one, days: dayOf(one.notAfter) - today }))
    const leaves = dated.filter((one) => !isAuthority(one) && one.days <= leafDays)
    // Files hold their chain as well: the same CA lies in many of them.
    const authorities = dated.filter(
      (one, index) =>
        isAuthority(one) &&
        one.days <= authorityDays &&
        dated.findIndex(({ subject, notAfter }) => subject === one.subject && notAfter === one.notAfter) ===
          index,
    )
    return [...expiring(machine, leaves, false), ...expiring(machine, authorities, true)]
  })
}

/** No certificate is no evidence of a good one. */
function unread(machine: Machine): Finding {
  return found(
    'PRE-CERTS',
    { node: machine.name, address: machine.address, certificates: [], authority: false },
    { subject: aboutNode(machine), discriminator: 'unread', severity: 'medium' },
  )
}

type Dated = MachineCertificate & { readonly days: number }

function expiring(machine: Machine, certificates: readonly Dated[], authority: boolean): Finding[] {
  const soonest = certificates.toSorted((a, b) => a.days - b.days)
  const [first] = soonest
  if (first === undefined) return []
  return [
    found(
      'PRE-CERTS',
      { node: machine.name, address: machine.address, certificates: soonest, authority },
      {
        subject: aboutNode(machine),
        discriminator: authority ? 'ca' : 'leaf',
        severity: first.days < urgentDays ? 'inhibitor' : 'high',
      },
    ),
  ]
}

function isAuthority({ path, subject, issuer }: MachineCertificate): boolean {
  return subject === issuer || path.endsWith('-ca.crt')
}

/** `2022-10-08T11:02:03Z` */
function dayOf(iso: string): number {
  const [year = 0, month = 1, day = 1] = iso.slice(0, 10).split('-').map(Number)
  return dayNumber(year, month, day)
}
