import { word } from '../assess/command-text.ts'
import type { Rule, RuleId } from '../findings.ts'
import { clusterRules } from './assess-cluster.ts'
import { fitRules } from './assess-fit.ts'
import { apiRules } from './assess-apis.ts'
import { ladderRules } from './assess-ladder.ts'
import { readingRules } from './assess-readings.ts'
import { command, hint, onNode, rule, type OnNode } from './assess-shapes.ts'
import { workloadRules } from './assess-workloads.ts'

/** What must be settled on a machine before it moves. */
const machineRules = {
  'PRE-NODE-NOT-READY': rule<{ node: string }>({
    severity: 'inhibitor',
    waivable: true,
    title: 'A node is not Ready',
    text: ({ node }) => ({
      summary: `the node ${node} is not Ready`,
      diagnosis:
        'Old trouble would be taken for trouble of the move, and a node that is down leaves less room for what is drained.',
      remediations: [command(`kubectl describe node ${word(node)}`)],
    }),
  }),
  'PRE-NODE-PRESSURE': rule<{ node: string; conditions: readonly string[] }>({
    severity: 'inhibitor',
    waivable: true,
    title: 'A node is short of something',
    text: ({ node, conditions }) => ({
      summary: `the node ${node} says ${conditions.join(', ')}`,
      diagnosis:
        'A kubelet that is short of memory, disk or process numbers evicts pods by itself and takes none; one without network takes none either. What is drained elsewhere does not fit here, and this node does not bear a move.',
      remediations: [hint('mend it before anything moves'), command(`kubectl describe node ${word(node)}`)],
    }),
  }),
  'PRE-NODE-CORDONED': rule<{ node: string }>({
    severity: 'inhibitor',
    waivable: true,
    title: 'A node is cordoned already',
    text: ({ node }) => ({
      summary: `somebody cordoned the node ${node}`,
      diagnosis:
        'Another person or controller may be working on it. A node that was cordoned before stays cordoned after.',
      remediations: [
        hint('if nobody is at work there, make it schedulable again'),
        command(`kubectl uncordon ${word(node)}`),
      ],
    }),
  }),
  'PRE-CLOCK': rule<OnNode & { offsetSeconds: number }>({
    severity: 'high',
    title: 'The clock of a machine is off',
    text: ({ node, address, offsetSeconds }) => ({
      summary: `the clock of ${node} is ${Math.abs(Math.round(offsetSeconds))} s ${offsetSeconds < 0 ? 'behind' : 'ahead'}`,
      diagnosis:
        'Certificates, leases and the freshness of heartbeats are judged by clocks. More than 5 s apart they give wrong answers.',
      remediations: [
        hint('set it once, then see why the node reaches no time server'),
        command(`ssh ${word(`rancher@${address}`)} "sudo date -u -s @$(date +%s)"`),
      ],
    }),
  }),
  'PRE-PENDING-REBOOT': rule<
    OnNode & { changes: readonly { component: string; running: string; next: string }[] }
  >({
    severity: 'high',
    title: 'The next boot would start other versions',
    text: ({ node, changes }) => ({
      summary: `${node} runs ${changes.map((c) => `${c.component} ${c.running}`).join(', ')}; its next boot starts ${changes.map((c) => c.next).join(', ')}`,
      diagnosis:
        'An upgrade was written and never booted. Moving the system and changing versions at once leaves nobody able to say which of the two broke something.',
      remediations: [
        hint('drain and reboot it into k3OS first, look at it, then take the inventory again'),
        command(`kubectl drain ${word(node)} --ignore-daemonsets`),
      ],
    }),
  }),
  'PRE-BOOT-MARKER': rule<OnNode & { marker: string; effect: string }>({
    severity: 'inhibitor',
    title: 'A marker file changes what the next boot does',
    text: ({ node, address, marker, effect }) => ({
      summary: `${node} has /k3os/system/${marker}: ${effect}`,
      diagnosis: 'rancher/k3os acts on this file in the initrd, before anything else could stop it.',
      remediations: [
        hint('remove it, unless that is what you want'),
        command(onNode(address, editSystem(`sudo rm /k3os/system/${marker}`))),
      ],
    }),
  }),
  'PRE-INSTALL': rule<{ node: string; install: 'live' | 'overlay' | 'unknown' }>({
    severity: 'inhibitor',
    title: 'k3OS is not installed to a disk of its own',
    text: ({ node, install }) => {
      switch (install) {
        case 'live':
          return {
            summary: `${node} runs k3OS from a live medium`,
            diagnosis: 'Nothing is installed: after a reboot there is nothing that could be moved.',
            remediations: [hint('set this machine up anew; there is no installed k3OS to retire')],
          }
        case 'overlay':
          return {
            summary: `${node} runs k3OS as an overlay over another system`,
            diagnosis:
              'There is no file system labelled K3OS_STATE and no boot loader of k3OS: whoever reimages this board must write its whole medium.',
            remediations: [hint('check that the method of the plan knows this kind of board')],
          }
        case 'unknown':
          return {
            summary: `how k3OS is installed on ${node} could not be read`,
            diagnosis: 'Where its system and data are is not known.',
            remediations: [hint('see the failed readings of this machine, then take the inventory again')],
          }
      }
    },
  }),
  'PRE-NODE-PASSWORD': rule<{ node: string; readable: boolean }>({
    severity: 'high',
    title: 'A node has no node password',
    text: ({ node, readable }) => ({
      summary: readable
        ? `${node} has no /etc/rancher/node/password`
        : `whether ${node} has /etc/rancher/node/password could not be read`,
      diagnosis:
        'k3s servers refuse a node that comes back under its name with another password ("Node password rejected, duplicate hostname").',
      remediations: [
        hint('while the node is down for its move, remove the stored hash'),
        command(`kubectl -n kube-system delete secret ${word(`${node}.node-password.k3s`)}`),
      ],
    }),
  }),

  'PRE-ROLE-UNKNOWN': rule<{ node: string }>({
    severity: 'inhibitor',
    title: 'It is not known whether a node is server or agent',
    text: ({ node }) => ({
      summary: `${node}: neither the k3s service nor its data says whether it is server or agent`,
      diagnosis: 'Servers go last and one by one; a server taken for an agent can cost the datastore.',
      remediations: [hint('start k3s on it, then take the inventory again')],
    }),
  }),
  'PRE-DATASTORE-UNKNOWN': rule<{ node: string; why: string }>({
    severity: 'inhibitor',
    title: 'The datastore of a server is not known',
    text: ({ node, why }) => ({
      summary: `the datastore of the server ${node} is not known: ${why}`,
      diagnosis: 'What must stay, and whether the API survives its move, depends on the datastore.',
      remediations: [hint('see what lies in /var/lib/rancher/k3s/server/db and how k3s is started there')],
    }),
  }),
  'PRE-DQLITE': rule<{ node: string }>({
    severity: 'inhibitor',
    title: 'The datastore is dqlite',
    text: ({ node }) => ({
      summary: `${node} keeps the cluster in dqlite, which no k3s from v1.19 on can read`,
      diagnosis:
        'dqlite was an experiment of k3s before v1.19 without a way up (k3s-io/k3s#2177, #1770). A cluster on it cannot be moved, only built again from its objects.',
      remediations: [
        hint('export the objects and the data, build a new cluster, and retire this one as a whole'),
        command('kubectl get all,configmap,secret,ingress,pvc --all-namespaces -o yaml > objects.yaml'),
      ],
    }),
  }),
  'PRE-SINGLE-SERVER': rule<OnNode & { datastore: string }>({
    severity: 'high',
    title: 'One server holds the only copy of the datastore',
    text: ({ node, address, datastore }) => ({
      summary: `${node} is the only server (${datastore}): the API is away during its move`,
      diagnosis:
        'There is no second copy of the datastore. Workloads on other nodes run on; nothing can be scheduled or changed meanwhile. It moves last.',
      remediations: [
        hint('take a copy off the machine first (k3s stops for it; the archive holds keys)'),
        command(
          `(umask 077; ${onNode(address, 'sudo rc-service k3s-service stop >&2; sudo tar -C /var/lib/rancher/k3s -czf - server; sudo rc-service k3s-service start >&2')} > ${word(`${node}-k3s-server.tar.gz`)})`,
        ),
      ],
    }),
  }),
  'PRE-ETCD-QUORUM': rule<{ members: number; nodes: readonly string[] }>({
    severity: 'high',
    title: 'etcd has no member to spare',
    text: ({ members, nodes }) => ({
      summary: `etcd has ${members} members (${nodes.join(', ')}): it loses its quorum while one of them moves`,
      diagnosis: 'With two members both are needed. The API answers again when the moved one is back.',
      remediations: [hint('announce the outage, or add a third server first')],
    }),
  }),
  'PRE-ETCD': rule<{ members: number }>({
    severity: 'low',
    title: 'Servers with embedded etcd move one by one',
    text: ({ members }) => ({
      summary: `etcd has ${members} members: servers move one by one, each a voter again before the next`,
    }),
  }),
  'PRE-EXTERNAL-DATASTORE': rule<{ node: string }>({
    severity: 'medium',
    title: 'The datastore is outside',
    text: ({ node }) => ({
      summary: `${node} uses an external datastore: the new system must reach it with the same endpoint, token and keys`,
      diagnosis:
        'The server itself holds only the token and certificate files; the cluster is in the database.',
      remediations: [
        hint('back the database up, and have the token at hand: without it the stored keys cannot be read'),
      ],
    }),
  }),
  'PRE-DATASTORE-SPLIT': rule<{ nodes: readonly string[] }>({
    severity: 'inhibitor',
    title: 'Several servers with a datastore of their own',
    text: ({ nodes }) => ({
      summary: `${nodes.join(' and ')} each keep a datastore of their own in sqlite`,
      diagnosis:
        'Two servers on sqlite are two clusters, or the inventory is wrong. Which one holds the truth cannot be seen from here.',
      remediations: [
        hint(
          'find out which server the agents talk to (`server_url` in their configuration), and take one cluster at a time',
        ),
      ],
    }),
  }),
}

const editSystem = (change: string): string =>
  `sudo mount -o remount,rw /k3os/system && ${change}; sudo mount -o remount,ro /k3os/system`

/** All rules of `assess()`, in the order in which they are looked at. */
export const assessRules = {
  ...readingRules,
  ...machineRules,
  ...workloadRules,
  ...clusterRules,
  ...ladderRules,
  ...apiRules,
  ...fitRules,
} satisfies Partial<Record<RuleId, Rule<never>>>
