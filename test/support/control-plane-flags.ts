import { join } from 'node:path'

/** The age of k3OS, which serves policy/v1beta1 only, and the age of the targets, which serves policy/v1 only. */
export type KubeAge = '1.20' | '1.35'

/** After so long without a heartbeat a node is NotReady; k3s waits 40 s. */
export const notReadyAfterMs = 8_000

export const auditPolicyFile = 'audit-policy.yaml'
export const auditLogFile = 'audit.log'

/** Every request of the accounts of one namespace, when it is answered. */
export function auditPolicy(namespace: string): string {
  const groups = [`system:serviceaccounts:${namespace}`]
  return JSON.stringify({
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived', 'ResponseStarted'],
    rules: [{ level: 'Metadata', userGroups: groups }, { level: 'None' }],
  })
}

export function etcdArgs(dir: string, port: number, peerPort: number): readonly string[] {
  const client = `http://127.0.0.1:${port}`
  const peer = `http://127.0.0.1:${peerPort}`
  return [
    'etcd',
    `--data-dir=${join(dir, 'etcd')}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--unsafe-no-fsync',
  ]
}

export function apiserverArgs(
  dir: string,
  etcdPort: number,
  port: number,
  audited: boolean,
): readonly string[] {
  return [
    'apiserver',
    `--etcd-servers=http://127.0.0.1:${etcdPort}`,
    '--bind-address=127.0.0.1',
    // Without it the server looks for the interface of the default route, which a test machine may lack.
    '--advertise-address=127.0.0.1',
    '--endpoint-reconciler-type=none',
    `--secure-port=${port}`,
    `--tls-cert-file=${join(dir, 'apiserver.crt')}`,
    `--tls-private-key-file=${join(dir, 'apiserver.key')}`,
    `--client-ca-file=${join(dir, 'ca.crt')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${join(dir, 'service-account.key')}`,
    `--service-account-signing-key-file=${join(dir, 'service-account.key')}`,
    '--authorization-mode=Node,RBAC',
    '--allow-privileged=true',
    '--service-cluster-ip-range=10.43.0.0/16',
    ...(audited
      ? [
          `--audit-policy-file=${join(dir, auditPolicyFile)}`,
          `--audit-log-path=${join(dir, auditLogFile)}`,
          // A request is in the log before it is answered.
          '--audit-log-mode=blocking-strict',
        ]
      : []),
  ]
}

export function controllerManagerArgs(dir: string, age: KubeAge): readonly string[] {
  return [
    'controller-manager',
    `--kubeconfig=${join(dir, 'controller-manager.kubeconfig')}`,
    '--leader-elect=false',
    ...withoutOwnPorts(age),
    '--use-service-account-credentials',
    // At the default rate the controllers take seconds to get their credentials, one after the other.
    '--kube-api-qps=500',
    '--kube-api-burst=1000',
    `--service-account-private-key-file=${join(dir, 'service-account.key')}`,
    `--root-ca-file=${join(dir, 'ca.crt')}`,
    `--cluster-signing-cert-file=${join(dir, 'ca.crt')}`,
    `--cluster-signing-key-file=${join(dir, 'ca.key')}`,
    '--node-monitor-period=1s',
    `--node-monitor-grace-period=${notReadyAfterMs}ms`,
    // One node in ten seconds is the default, however few there are.
    '--node-eviction-rate=10',
    '--secondary-node-eviction-rate=10',
  ]
}

export function schedulerArgs(dir: string, age: KubeAge): readonly string[] {
  return [
    'scheduler',
    `--kubeconfig=${join(dir, 'scheduler.kubeconfig')}`,
    '--leader-elect=false',
    ...withoutOwnPorts(age),
  ]
}

/** Two clusters on one machine would collide there. 1.20 also listens without TLS, on every interface. */
function withoutOwnPorts(age: KubeAge): readonly string[] {
  return age === '1.20' ? ['--secure-port=0', '--port=0'] : ['--secure-port=0']
}

export function kubeletArgs(dir: string, kubeconfig: string, node: string): readonly string[] {
  return [
    'kwok',
    `--config=${join(dir, 'stages.yaml')}`,
    `--kubeconfig=${kubeconfig}`,
    `--manage-single-node=${node}`,
    // It renews after a quarter, and a restarted one waits until the lease of the one before has run out.
    `--node-lease-duration-seconds=${notReadyAfterMs / 2_000}`,
  ]
}
