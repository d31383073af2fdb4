import type { MachineCertificate } from '../machine-facts.ts'
import { dayNumber } from '../time-zone.ts'

/** From this day on before its end, a leaf certificate is worth a word; k3s renews it when it starts, 90 days before. */
export const leafDays = 30
/** Too late to move first and renew afterwards. */
export const urgentDays = 2

export type DatedCertificate = MachineCertificate & { readonly days: number }

/** With the days that are left, counted from an ISO time on. */
export function dated(certificates: readonly MachineCertificate[], now: string): DatedCertificate[] {
  const today = dayOf(now)
  return certificates.map((one) => ({ ...one, days: dayOf(one.notAfter) - today }))
}

export function isAuthority({ path, subject, issuer }: MachineCertificate): boolean {
  return subject === issuer || path.endsWith('-ca.crt')
}

/** The leaf that ends first; undefined when there is none. */
export function firstToEnd(certificates: readonly DatedCertificate[]): DatedCertificate | undefined {
  return certificates.filter((one) => !isAuthority(one)).toSorted((a, b) => a.days - b.days)[0]
}

/** `2022-10-08T11:02:03Z` */
function dayOf(iso: string): number {
  const [year = 0, month = 1, day = 1] = iso.slice(0, 10).split('-').map(Number)
  return dayNumber(year, month, day)
}
