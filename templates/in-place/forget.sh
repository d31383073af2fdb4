#!/bin/sh
# Part of the new system, before k3s starts and after it has ended for good: addresses that CNI gave to containers which are gone,
# and a layout of processors and memory that another kernel may see otherwise. Both lie in folders of k3OS, which finds them again.
set -eu
# Containers survive the end of k3s, unless the machine goes down.
[ "$(systemctl is-system-running)" = stopping ] || ! pgrep containerd-shim >/dev/null || exit 0
rm -f /var/lib/cni/networks/*/[0-9]* /var/lib/kubelet/cpu_manager_state /var/lib/kubelet/memory_manager_state
