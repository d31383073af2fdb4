import type { Finding } from '../findings.ts'
import { dated, type DatedCertificate, isAuthority, leafDays, urgentDays } from '../k3s/certificates.ts'
import { aboutNode, type AssessContext, type Check, type Machine } from './context.ts'
import { found } from './found.ts'

/** How long the certificates of k3s still hold, counted from the day on which the machine was read. */
export const certificateChecks: readonly Check[] = [
  { rules: ['PRE-CERTS'], needs: ['machines'], run: certificates },
]

const authorityDays = 180

function certificates({ machines }: AssessContext): Finding[] {
  return machines.flatMap((machine) => {
    const { entry, facts, runsK3os } = machine
    if (facts === null || entry?.status !== 'read' || !runsK3os) return []
    if (facts.certificates.length === 0) return facts.k3s.role === 'none' ? [] : [unread(machine)]
    const all = dated(facts.certificates, entry.readAt)
    const leaves = all.filter((one) => !isAuthority(one) && one.days <= leafDays)
    // Files hold their chain as well: the same CA lies in many of them.
    const authorities = all.filter(
      (one, index) =>
        isAuthority(one) &&
        one.days <= authorityDays &&
        all.findIndex(({ subject, notAfter }) => subject === one.subject && notAfter === one.notAfter) ===
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

function expiring(
  machine: Machine,
  certificates: readonly DatedCertificate[],
  authority: boolean,
): Finding[] {
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
