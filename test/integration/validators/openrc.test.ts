import { describe, expect, it } from 'vitest'
import { templateTools } from '../../../src/adapters/templates.ts'
import { translateNode } from '../../../src/core/translate-node.ts'
import { translator } from '../../../translators/alpine/index.ts'
import { goldenNode } from '../../support/golden-node.ts'
import { dependencies, missingAlpineTools, underOpenRc } from '../../support/alpine-judges.ts'
import { goldenFolder } from '../../support/judges.ts'
import { requirePart } from '../../support/require-part.ts'
import { tarEntries } from '../../support/tar-listing.ts'

// Services of the Alpine translator under the real OpenRC, over the root of this machine and in namespaces of its own.

const skip = requirePart('VALIDATORS', missingAlpineTools())

/** Files of the node's disk that OpenRC is concerned with. */
function disk(name: string): [string, Buffer, number][] {
  const { files } = translateNode(goldenNode(goldenFolder(name)), translator, templateTools())
  const overlay = files.find(({ content }) => content instanceof Uint8Array)?.content
  if (!(overlay instanceof Uint8Array)) throw new TypeError('there is no overlay')
  const inner = tarEntries(overlay).find(({ path }) => path.endsWith('root.tar'))?.content ?? Buffer.alloc(0)
  return tarEntries(inner).flatMap(({ path, content, mode }): [string, Buffer, number][] =>
    /^etc\/(?:init\.d|conf\.d|k3os-migrate|rancher)\//.test(path)
      ? [[`/${path}`, content, Number.parseInt(mode, 8)]]
      : [],
  )
}

describe.skipIf(skip)('OpenRC', () => {
  it('keeps the order of k3OS: names, files, boot_cmd, network, run_cmd, k3s', () => {
    const { after } = dependencies(disk('commands-in-boot-order'))
    expect(after.get('k3os-boot-cmd')).toEqual(
      expect.arrayContaining(['k3os-net-names', 'k3os-files', 'modules', 'sysctl']),
    )
    expect(after.get('networking')).toEqual(expect.arrayContaining(['k3os-net-names', 'k3os-boot-cmd']))
    expect(after.get('k3os-run-cmd')).toContain('networking')
    expect(after.get('k3s')).toEqual(expect.arrayContaining(['networking', 'k3os-run-cmd']))
    expect(after.get('local')).toContain('k3os-run-cmd')
  })

  it('does not start k3s before it is released, and then with its arguments', () => {
    const stub = '#!/bin/sh\nprintf "%s\\n" "$K3S_KUBECONFIG_MODE" "$@" >/run/started\nsleep 60\n'
    const start = 'openrc-run /etc/init.d/k3s --nodeps start'
    const files: [string, string | Buffer, number][] = [
      ...disk('old-k3s-1.18'),
      ['/usr/local/bin/k3s', stub, 0o755],
      ['/usr/sbin/modprobe', '#!/bin/sh\n', 0o755],
    ]
    const before = underOpenRc(files, start)
    expect(before.said).toContain('k3s waits for /etc/k3os-migrate/release')
    expect(before.status).not.toBe(0)
    const released = underOpenRc(
      [...files, ['/etc/k3os-migrate/release', '', 0o644]],
      `${start}; until [ -s /run/started ]; do sleep 0.1; done; cat /run/started`,
    )
    expect(released.said.split('\n')).toEqual(
      expect.arrayContaining([
        '0644',
        'server',
        '--kubelet-arg=eviction-hard=memory.available<5%,$x',
        '--node-label=100%=a b',
      ]),
    )
  })

  it('starts k3s when the file appears, and not again after somebody stopped it', () => {
    const commands = [
      'cp -a /etc/k3os-migrate /run/own && mount --bind /run/own /etc/k3os-migrate',
      '/lib/rc/bin/rc-depend -u >/dev/null 2>&1',
      'openrc-run /etc/init.d/k3os-migrate-release --nodeps start',
      'sleep 3; [ ! -e /run/started ] || echo too early',
      'touch /etc/k3os-migrate/release',
      'until [ -s /run/started ]; do sleep 0.2; done; echo started',
      'openrc-run /etc/init.d/k3s --nodeps stop; rm /run/started; sleep 4',
      '[ ! -e /run/started ] || echo again',
    ]
    const stub = '#!/bin/sh\necho x >/run/started\nexec sleep 60\n'
    const { said } = underOpenRc(
      [
        ...disk('single-server-default'),
        ['/usr/local/bin/k3s', stub, 0o755],
        ['/usr/sbin/modprobe', '#!/bin/sh\n', 0o755],
      ],
      commands.join('\n'),
    )
    expect(said).toContain('started\n')
    expect(said).not.toMatch(/too early|again/)
  })

  it('minds a service that needs another that does not exist', () => {
    const wrong = disk('commands-in-boot-order').map(([path, content, mode]): [string, Buffer, number] => [
      path,
      Buffer.from(content.toString('utf8').replace('need localmount', 'need localmounts')),
      mode,
    ])
    expect(dependencies(wrong).broken).toContain('k3os-boot-cmd needs localmounts')
  })
})
