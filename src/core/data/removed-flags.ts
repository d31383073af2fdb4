/**
 * Flags of Kubernetes components that k3s passes on (`kubelet-arg`, …) and that no longer exist: component (`all` = each
 * of them), flag, first and last minor in which it may have gone, what takes its place. A component
 * stops at a flag it does not know, and k3s with it.
 *
 * From the flag lists of the Kubernetes sources vendored by k3s v1.17.17 to v1.21.2, and the changes that removed the later
 * ones; `~` = the minor was named by a second-hand list and not looked up in the source. Flags that came after v1.21 and
 * went again are not covered.
 */
export const removedFlagTable = `
kubelet bootstrap-checkpoint-path 19 19 = -
kubelet enable-cadvisor-json-endpoints 21 21 = -
kubelet chaos-chance 22 24 ~ -
kubelet really-crash-for-testing 22 24 ~ -
kubelet seccomp-profile-root 22 24 ~ -
kubelet register-schedulable 22 24 ~ -
kubelet non-masquerade-cidr 22 24 ~ -
kubelet network-plugin 24 24 = set CNI paths in the containerd config template
kubelet network-plugin-mtu 24 24 = set CNI paths in the containerd config template
kubelet cni-conf-dir 24 24 = set CNI paths in the containerd config template
kubelet cni-bin-dir 24 24 = set CNI paths in the containerd config template
kubelet cni-cache-dir 24 24 = set CNI paths in the containerd config template
kubelet docker-endpoint 24 24 = k3s flag docker starts cri-dockerd
kubelet image-pull-progress-deadline 24 24 = k3s flag docker starts cri-dockerd
kubelet experimental-dockershim-root-directory 24 24 = k3s flag docker starts cri-dockerd
kubelet dynamic-config-dir 24 24 = kubelet drop-in directory agent/etc/kubelet.conf.d (k3s >= 1.32)
all log-dir 26 26 = v, vmodule, logging-format
all log-file 26 26 = v, vmodule, logging-format
all log-file-max-size 26 26 = v, vmodule, logging-format
all logtostderr 26 26 = v, vmodule, logging-format
all alsologtostderr 26 26 = v, vmodule, logging-format
all one-output 26 26 = v, vmodule, logging-format
all stderrthreshold 26 26 = v, vmodule, logging-format
all skip-headers 26 26 = v, vmodule, logging-format
all skip-log-headers 26 26 = v, vmodule, logging-format
all add-dir-header 26 26 = v, vmodule, logging-format
all log-backtrace-at 26 26 = v, vmodule, logging-format
kubelet container-runtime 27 27 = -
kubelet master-service-namespace 27 27 = -
kubelet keep-terminated-pod-volumes 31 31 = -
kubelet iptables-masquerade-bit 31 31 = -
kubelet iptables-drop-bit 31 31 = -
kubelet cloud-config 34 34 = -
kubelet pod-infra-container-image 35 35 = k3s flag pause-image
kubelet application-metrics-count-limit 37 37 = -
kubelet boot-id-file 37 37 = -
kubelet container-hints 37 37 = -
kubelet containerd 37 37 = -
kubelet containerd-namespace 37 37 = -
kubelet enable-load-reader 37 37 = -
kubelet event-storage-age-limit 37 37 = -
kubelet event-storage-event-limit 37 37 = -
kubelet global-housekeeping-interval 37 37 = -
kubelet log-cadvisor-usage 37 37 = -
kubelet machine-id-file 37 37 = -
kubelet storage-driver-user 37 37 = -
kubelet storage-driver-password 37 37 = -
kubelet storage-driver-host 37 37 = -
kubelet storage-driver-db 37 37 = -
kubelet storage-driver-table 37 37 = -
kubelet storage-driver-secure 37 37 = -
kubelet storage-driver-buffer-duration 37 37 = -
kube-apiserver enable-inflight-quota-handler 18 18 = enable-priority-and-fairness
kube-apiserver basic-auth-file 19 19 = token-auth-file, client certificates or OIDC
kube-apiserver audit-dynamic-configuration 19 19 = audit-policy-file, audit-webhook-config-file
kube-apiserver kubelet-https 22 22 ~ -
kube-apiserver insecure-port 24 24 ~ -
kube-apiserver insecure-bind-address 24 24 ~ -
kube-apiserver port 24 24 ~ -
kube-apiserver address 24 24 ~ -
kube-apiserver deserialization-cache-size 24 24 ~ -
kube-apiserver enable-swagger-ui 24 24 ~ -
kube-apiserver target-ram-mb 24 24 ~ -
kube-apiserver experimental-encryption-provider-config 24 24 ~ encryption-provider-config
kube-apiserver service-account-api-audiences 25 25 = api-audiences
kube-apiserver master-service-namespace 26 26 = -
kube-apiserver cloud-config 33 33 = -
kube-controller-manager port 24 24 ~ secure-port, bind-address
kube-controller-manager address 24 24 ~ secure-port, bind-address
kube-controller-manager deleting-pods-qps 25 25 = -
kube-controller-manager deleting-pods-burst 25 25 = -
kube-controller-manager register-retry-count 25 25 = -
kube-controller-manager experimental-cluster-signing-duration 25 25 ~ cluster-signing-duration
kube-controller-manager enable-taint-manager 27 27 = kube-apiserver default-not-ready-toleration-seconds / default-unreachable-toleration-seconds
kube-controller-manager pod-eviction-timeout 27 27 = kube-apiserver default-not-ready-toleration-seconds / default-unreachable-toleration-seconds
kube-controller-manager volume-host-cidr-denylist 31 31 = -
kube-controller-manager volume-host-allow-local-loopback 31 31 = -
kube-controller-manager horizontal-pod-autoscaler-upscale-delay 31 31 = horizontal-pod-autoscaler-downscale-stabilization
kube-controller-manager horizontal-pod-autoscaler-downscale-delay 31 31 = horizontal-pod-autoscaler-downscale-stabilization
kube-scheduler port 23 24 ~ secure-port, bind-address
kube-scheduler address 23 24 ~ secure-port, bind-address
kube-scheduler policy-config-file 23 24 ~ config FILE (KubeSchedulerConfiguration)
kube-scheduler policy-configmap 23 24 ~ config FILE (KubeSchedulerConfiguration)
kube-scheduler policy-configmap-namespace 23 24 ~ config FILE (KubeSchedulerConfiguration)
kube-scheduler use-legacy-policy-config 23 24 ~ config FILE (KubeSchedulerConfiguration)
kube-scheduler algorithm-provider 23 24 ~ config FILE (KubeSchedulerConfiguration)
kube-scheduler scheduler-name 23 24 ~ config FILE (KubeSchedulerConfiguration)
kube-proxy cleanup-ipvs 21 21 = cleanup
`

/** Values that a flag no longer takes: component, flag, value, minor, what takes its place. */
export const removedValueTable = `
kube-apiserver enable-admission-plugins PodSecurityPolicy 25 Pod Security admission (on by default)
kube-apiserver enable-admission-plugins SecurityContextDeny 30 -
kube-proxy proxy-mode userspace 26 iptables or nftables
`

/**
 * Flags of k3s itself, and values of them after `=`, that it stops at: flag, minor, what takes its place. k3s keeps such a
 * flag for one more minor only to say so (k3s-io/k3s#6574), so the minor without the flag
 * in `flag-table.ts` is a later one.
 */
export const endedFlagTable = `
no-deploy 25 --disable
cluster-secret 25 --token
no-flannel 25 --flannel-backend=none (on servers; an agent takes it from the server)
disable-selinux 26 --selinux, which means the opposite and is off without the flag
flannel-backend=wireguard 26 wireguard-native, on all nodes at once: the two do not talk to each other
flannel-backend=ipsec 27 wireguard-native
`
