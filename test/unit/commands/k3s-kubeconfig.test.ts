import { expect, test } from 'vitest'
import { kubeconfigOf } from '../../../src/commands/k3s-kubeconfig.ts'

const text = `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: aHR0cHM6
    server: https://127.0.0.1:6443
  name: default
`
const address = { name: 's1', host: '10.0.0.1', port: 22, user: 'rancher' }
const never = new AbortController().signal
const host = (content: string | undefined) => ({ readFile: () => Promise.resolve(content) })

test.each([
  ['10.0.0.1', 'https://10.0.0.1:6443'],
  ['fd00::5', 'https://[fd00::5]:6443'],
])('k3s names itself 127.0.0.1; from here it is %s', async (name, server) => {
  const found = await kubeconfigOf(host(text), { ...address, host: name }, never)
  expect(found.content).toBe(text.replace('https://127.0.0.1:6443', server))
})

test('a server with a name of its own keeps it', async () => {
  const own = text.replace('127.0.0.1', 'k3s.example')
  expect((await kubeconfigOf(host(own), address, never)).content).toBe(own)
})

test('a machine without it is no server', async () => {
  await expect(kubeconfigOf(host(undefined), address, never)).rejects.toMatchObject({
    exitCode: 65,
    message: 's1 has no /etc/rancher/k3s/k3s.yaml: it is no k3s server, or k3s does not run',
  })
})
