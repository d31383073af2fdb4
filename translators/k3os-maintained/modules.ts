/**
 * Modules of k3OS's kernels (Ubuntu's 4.15 to 5.4) that Debian 13's 6.12 lacks. Only what was looked up in the history of
 * Linux, or is Ubuntu's own; `becomes` does the same under another name.
 */
export const goneModules: Readonly<
  Record<string, { readonly becomes: string | null; readonly since: string }>
> = {
  nf_conntrack_ipv4: { becomes: 'nf_conntrack', since: 'part of it since Linux 4.19' },
  nf_conntrack_ipv6: { becomes: 'nf_conntrack', since: 'part of it since Linux 4.19' },
  nf_nat_ipv4: { becomes: 'nf_nat', since: 'part of it since Linux 5.1' },
  nf_nat_ipv6: { becomes: 'nf_nat', since: 'part of it since Linux 5.1' },
  aufs: { becomes: null, since: "only Ubuntu's kernel had it; overlay does the same" },
  shiftfs: { becomes: null, since: "only Ubuntu's kernel had it" },
  ashmem_linux: { becomes: null, since: 'gone since Linux 5.18' },
  zfs: { becomes: null, since: "Ubuntu's kernel brings it, Debian's does not" },
}
