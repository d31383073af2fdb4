/**
 * Kernel settings every k3OS node runs with; rancher/k3os overlay/etc/sysctl.d/00-k3os.conf, without the one for its
 * entropy daemon. A workload may depend on them: the first move keeps what k3OS had.
 */
export const k3osSysctls: readonly (readonly [key: string, value: string])[] = [
  ['net.ipv4.ip_forward', '1'],
  ['net.ipv6.conf.all.accept_ra', '2'],
  ['net.ipv6.conf.all.accept_ra_defrtr', '1'],
  ['vm.max_map_count', '262144'],
  ['vm.overcommit_memory', '1'],
  ['net.core.somaxconn', '1024'],
  ['net.ipv4.neigh.default.gc_thresh1', '80000'],
  ['net.ipv4.neigh.default.gc_thresh2', '90000'],
  ['net.ipv4.neigh.default.gc_thresh3', '100000'],
  ['fs.aio-max-nr', '1048576'],
  ['fs.file-max', '1048576'],
  ['kernel.kptr_restrict', '2'],
  ['kernel.dmesg_restrict', '1'],
  ['kernel.perf_event_paranoid', '3'],
  ['fs.protected_hardlinks', '1'],
  ['fs.protected_symlinks', '1'],
  ['kernel.unprivileged_bpf_disabled', '1'],
]

/** In k3OS's own /etc/environment, which the k3s service reads; rancher/k3os overlay/etc/environment. */
export const k3osKubeconfigMode = { name: 'K3S_KUBECONFIG_MODE', value: '0644' } as const

/** Settings that people tuned on k3OS's kernels (4.15 to 5.4) and that later ones lack, with the kernel that dropped them. */
export const goneSysctls: Readonly<Record<string, string>> = {
  'net.ipv4.tcp_tw_recycle': 'Linux 4.12',
  'kernel.sched_latency_ns': 'Linux 5.13',
  'kernel.sched_min_granularity_ns': 'Linux 5.13',
  'kernel.sched_wakeup_granularity_ns': 'Linux 5.13',
  'kernel.sched_migration_cost_ns': 'Linux 5.13',
  'kernel.sched_nr_migrate': 'Linux 5.13',
  'kernel.sched_tunable_scaling': 'Linux 5.13',
}
