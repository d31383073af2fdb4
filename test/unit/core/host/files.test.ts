import { expect, it } from 'vitest'
import { filePurpose } from '../../../../src/core/host/files.ts'

it.each([
  ['/etc/motd', 'plain'],
  ['/usr/local/bin/tool', 'plain'],
  ['/usr/libexec/kubernetes/x', 'plain'],
  ['/boot/x', 'plain'],
  ['/var/lib/rancher/k3s/agent/images/x.tar', 'plain'],
  ['/var/lib/rancher/k3s/server/manifests/x.yaml', 'k3s-manifest'],
  ['/etc/rancher/k3s/config.yaml.d/x.yaml', 'k3s-config'],
  ['/var/lib/connman/default.config', 'connman'],
  ['/etc/connman/main.conf', 'connman'],
  ['/etc/init.d/x', 'openrc'],
  ['/etc/conf.d/rngd', 'openrc'],
  ['/etc/local.d/x.start', 'local-d'],
  ['/etc/local.d/README', 'plain'],
  ['/etc/environment', 'environment'],
  ['/run/x', 'ephemeral'],
  ['/var/run/x', 'ephemeral'],
  ['/tmp/x', 'ephemeral'],
  ['/proc/sys/kernel/panic', 'unwritable'],
  ['/sys/x', 'unwritable'],
  ['/usr/bin/x', 'unwritable'],
  ['/sbin/x', 'unwritable'],
  ['/lib/firmware/x', 'unwritable'],
  ['/k3os/system/x', 'unwritable'],
] as const)('%s is %s', (path, purpose) => {
  expect(filePurpose(path)).toBe(purpose)
})
