import { expect, test } from 'vitest'
import { nodeSecrets } from '../../../src/core/node-secrets.ts'
import { bundleOf, canaries, k3osNode } from '../../support/k3os-node.ts'

test('what the next system needs is taken from the places of the running node', () => {
  const secrets = nodeSecrets(bundleOf(k3osNode()))
  expect(secrets).toMatchObject({
    nodePassword: canaries.nodePassword,
    token: `K10abc::server:${canaries.token}`,
    authorizedKeys: 'ssh-ed25519 AAAA me@laptop\n',
    failures: [],
  })
  expect(secrets.registriesYaml).toContain(canaries.registry)
  expect(secrets.sshHostKeys).toHaveLength(1)
  expect(secrets.sshHostKeys[0]?.type).toBe('ssh-ed25519')
  expect(secrets.sshHostKeys[0]?.publicKey).not.toContain('root@n1')
  expect(secrets.sshHostKeys[0]?.privateKey).toContain(canaries.hostKey)
})

test('what does not exist is null, what was refused is a failure as well', () => {
  const bundle = bundleOf(
    k3osNode({
      files: {
        '/etc/rancher/k3s/registries.yaml': undefined,
        '/var/lib/rancher/k3s/server/token': undefined,
      },
    }),
  )
  const errors = new Map([['/var/lib/rancher/k3s/server/token', 'permission denied']])
  const secrets = nodeSecrets({ ...bundle, errors })
  expect(secrets.registriesYaml).toBeNull()
  expect(secrets.token).toBeNull()
  expect(secrets.failures).toEqual([
    { what: '/var/lib/rancher/k3s/server/token', reason: 'permission denied' },
  ])
})
