// A cluster to try things on by hand: node lab/start.ts [1.20|1.35] [NODE...]
import { startControlPlane } from '../test/support/control-plane.ts'

const [age = '1.20', ...names] = process.argv.slice(2)
if (age !== '1.20' && age !== '1.35')
  throw new Error(`there is no control plane of ${age}, only of 1.20 and 1.35`)

const cluster = await startControlPlane({ age })
for (const name of names.length > 0 ? names : ['n1', 'n2', 'n3']) {
  await cluster.createNode({ name })
  await cluster.startKubelet(name)
}
process.stdout.write(
  `${cluster.version} runs until you press ctrl-c\nexport KUBECONFIG=${cluster.kubeconfig}\n`,
)
process.once('SIGINT', () => void cluster.stop())
process.once('SIGTERM', () => void cluster.stop())
