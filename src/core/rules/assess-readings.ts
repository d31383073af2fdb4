import { word } from '../assess/command-text.ts'
import { command, hint, onNode, rule, type OnNode } from './assess-shapes.ts'

/** What reading the cluster and its machines brings to light, and what is wrong with waivers. */
export const readingRules = {
  'INV-NODE-UNREAD': rule<OnNode & { reason: string }>({
    severity: 'inhibitor',
    title: 'A machine could not be read',
    text: ({ node, address, reason }) => ({
      summary: `${node} could not be read: ${reason}`,
      diagnosis:
        'Nothing is known about its disks, data and configuration, so nothing can be promised about it.',
      remediations: [
        hint('make this work, then take the inventory again'),
        command(onNode(address, 'sudo true')),
      ],
    }),
  }),
  'INV-READING-FAILED': rule<{ node: string; failures: readonly { what: string; reason: string }[] }>({
    severity: 'medium',
    title: 'Some facts of a machine could not be read',
    text: ({ node, failures }) => ({
      summary: `${node}: ${failures.length === 1 ? '1 reading' : `${failures.length} readings`} failed: ${failures.map(({ what }) => what).join(', ')}`,
      diagnosis: failures.map(({ what, reason }) => `${what}: ${reason}`).join('; '),
    }),
  }),
  'INV-CLUSTER-UNREAD': rule<{ reason: string | null }>({
    severity: 'inhibitor',
    title: 'The cluster was not read',
    text: ({ reason }) => ({
      summary:
        reason === null ? 'no Kubernetes API server was asked' : `the cluster could not be read: ${reason}`,
      diagnosis:
        'Pods, budgets, volumes and upgrade plans are unknown: every check that needs them is missing.',
      remediations: [
        hint('make this work, then take the inventory again with the same context'),
        command('kubectl get nodes'),
      ],
    }),
  }),
  'INV-CLUSTER-PARTIAL': rule<{ what: string; reason: string }>({
    severity: 'inhibitor',
    title: 'A part of the cluster could not be read',
    text: ({ what, reason }) => ({
      summary: `${what} could not be read: ${reason}`,
      diagnosis: 'A list that could not be read is not an empty list.',
      remediations: [
        hint(
          'mend the access (`k3os-migrate rbac inventory` prints the rights needed), then take the inventory again',
        ),
      ],
    }),
  }),
  'INV-CONFIG-UNREAD': rule<{ node: string; reason: string }>({
    severity: 'inhibitor',
    title: 'The configuration of a node is not known',
    text: ({ node, reason }) => ({
      summary: `the k3OS configuration of ${node} is not known: ${reason}`,
      diagnosis: 'Without it nobody can say what the new system has to do.',
      remediations: [hint('take the inventory again and keep the bundles beside the inventory file')],
    }),
  }),
  'INV-CONFIG-REJECTED': rule<{ node: string; reason: string }>({
    severity: 'inhibitor',
    title: 'k3OS rejects the configuration as a whole',
    text: ({ node, reason }) => ({
      summary: `k3OS rejects the configuration of ${node} as a whole: ${reason}`,
      diagnosis:
        'k3OS logs one line and goes on with defaults: at the next boot the node comes up without k3s, keys and hostname. What runs now was started by an older configuration.',
      remediations: [hint('correct the file on the node, then take the inventory again')],
    }),
  }),
  'INV-NO-MACHINE': rule<{ node: string; osImage: string }>({
    severity: 'high',
    title: 'A k3OS node of the cluster is not in the inventory',
    text: ({ node, osImage }) => ({
      summary: `the cluster has the node ${node} (${osImage}), the inventory does not`,
      diagnosis: 'It will not be moved, and it is not known whether it can be.',
      remediations: [
        hint('add it to the inventory, or remove the Node if the machine is gone'),
        command(`kubectl get node ${word(node)} -o wide`),
      ],
    }),
  }),
  'INV-NO-NODE': rule<{ node: string; hostname: string | null }>({
    severity: 'inhibitor',
    title: 'A machine has no Node in the cluster',
    text: ({ node, hostname }) => ({
      summary: `the cluster has no node called ${node}${hostname === null || hostname === node ? '' : ` or ${hostname}`}`,
      diagnosis: 'A machine that is not a node cannot be drained, and its return cannot be proven.',
      remediations: [
        hint('check that the kubeconfig belongs to this cluster and that k3s runs on the machine'),
        command('kubectl config current-context && kubectl get nodes'),
      ],
    }),
  }),
  'INV-NOT-K3OS': rule<{ node: string; os: string }>({
    severity: 'info',
    title: 'A node does not run k3OS',
    text: ({ node, os }) => ({ summary: `${node} runs ${os}: nothing to move` }),
  }),
  'INV-IDENTITY': rule<{
    node: string
    what: string
    machine: string
    cluster: string
    /** The Node that the machine is instead, if that can be told. */
    really: string | null
  }>({
    severity: 'inhibitor',
    title: 'Machine and Node are not the same',
    text: ({ node, what, machine, cluster, really }) => ({
      summary: `${node}: the ${what} of the machine is ${machine}, that of the Node ${cluster}${really === null ? '' : `; by its ${what} it is the Node ${really}`}`,
      diagnosis:
        'The name leads to one machine over SSH and to another in the cluster (or it rebooted between the two readings). Draining one and rewriting the other is the accident this check is for.',
      remediations: [
        hint('compare addresses, then take the inventory again'),
        command(`kubectl get node ${word(node)} -o wide`),
      ],
    }),
  }),
  'INV-CLAIMED-TWICE': rule<{ node: string; machines: readonly string[]; same: boolean }>({
    severity: 'inhibitor',
    title: 'Two entries of the inventory claim one Node',
    text: ({ node, machines, same }) => ({
      summary: same
        ? `${machines.join(' and ')} are one machine, read twice: the Node ${node}`
        : `${machines.join(' and ')} both claim to be the Node ${node}`,
      diagnosis: same
        ? 'A machine must be moved once.'
        : 'Only one of them can be in the cluster under this name; the other one may be its clone, or its predecessor that was never switched off.',
      remediations: [
        hint(
          same
            ? 'give each machine one address, then take the inventory again'
            : 'find out which one it is and leave the other one out, then take the inventory again',
        ),
        command(`kubectl get node ${word(node)} -o wide`),
      ],
    }),
  }),
  'INV-UUID-SHARED': rule<{ uuid: string; nodes: readonly string[] }>({
    severity: 'high',
    title: 'Machines share one system UUID',
    text: ({ uuid, nodes }) => ({
      summary: `${nodes.join(' and ')} have the same system UUID ${uuid}`,
      diagnosis:
        'Some boards carry a constant from the factory. After the move this number cannot prove that it is the same machine.',
      remediations: [
        hint(
          'make sure that MAC addresses and disk serials in the inventory are right: the proof then rests on them',
        ),
      ],
    }),
  }),
  'INV-CONFIG-DISAGREES': rule<{ node: string; own: string; ours: string }>({
    severity: 'high',
    title: 'k3OS itself reads the configuration otherwise',
    text: ({ node, own, ours }) => ({
      summary: `k3OS on ${node} says that its configuration is ${own}; read here it is ${ours}`,
      diagnosis:
        'One of the two is wrong, and every translation rests on this reading. Files may have been changed between the two readings.',
      remediations: [
        { type: 'command', text: `k3os-migrate inventory ${node}` },
        hint('if it stays so: report it, with the configuration'),
      ],
    }),
  }),
  'INV-WAIVER-EXPIRED': rule<{ key: string; expires: string; today: string }>({
    severity: 'inhibitor',
    title: 'A waiver has expired',
    text: ({ key, expires, today }) => ({
      summary: `the waiver for ${key} expired on ${expires} (today is ${today})`,
      remediations: [hint('decide again: settle the finding, or renew the waiver with a new date')],
    }),
  }),
  'INV-WAIVER-INCOMPLETE': rule<{ key: string; missing: string }>({
    severity: 'inhibitor',
    title: 'A waiver does not say why or by whom',
    text: ({ key, missing }) => ({
      summary: `the waiver for ${key} has no ${missing}`,
      diagnosis: 'Whoever reads the report later must be able to see who accepted what, and why.',
      remediations: [hint(`write ${missing.includes(' ') ? 'it' : `\`${missing}: …\``} into the waiver`)],
    }),
  }),
  'INV-WAIVER-REFUSED': rule<{ key: string; summary: string }>({
    severity: 'inhibitor',
    title: 'A waiver for something that cannot be waived',
    text: ({ key, summary }) => ({
      summary: `${key} cannot be waived: ${summary}`,
      diagnosis: 'Accepting it would not make the move possible.',
      remediations: [hint('remove the waiver and settle the finding')],
    }),
  }),
  'INV-WAIVER-UNUSED': rule<{ key: string }>({
    severity: 'info',
    title: 'A waiver matches nothing',
    text: ({ key }) => ({
      summary: `the waiver for ${key} matches no finding`,
      remediations: [hint('remove it, or compare the key with `assess -o json`')],
    }),
  }),
}
