import { describe, expect, test } from 'vitest'
import { auditHtml } from '../../../../src/output/audit/audit-html.ts'
import { fiveNodes, fiveNodesInventory, secrets } from '../../../support/five-nodes.ts'
import { cluster, inventory, kubeNode, look, machine } from '../../core/assess/builders.ts'

const audit = fiveNodes()
const page = auditHtml(audit)

/** Text of the page from the heading with this id to the next of the same level. */
function section(id: string): string {
  const start = page.indexOf(`<h2 id="${id}"`)
  const end = page.indexOf('<h2 ', start + 1)
  return page
    .slice(start, end === -1 ? undefined : end)
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
}

function nodeText(name: string): string {
  const id = new RegExp(`<h2 id="(node-\\d+)">${name}<`).exec(page)?.[1]
  if (id === undefined) throw new Error(`no section of ${name}`)
  return section(id)
}

describe('the first page', () => {
  test('answers whether we can leave', () => {
    expect(/<h1>(.*?)<\/h1>/.exec(page)?.[1]).toMatch(/^Not yet: \d+ findings stop a move\.$/)
    expect(section('leave')).toContain('4 of 5 machines could be read.')
    expect(section('leave')).toMatch(/One after the other they take about \d h \d+ min\./)
  })

  test('says what stops us, and where', () => {
    expect(section('stops')).toContain('A machine could not be read: store-room')
    expect(section('stops')).toContain('1 finding accepted by a waiver.')
  })

  test('says what is at risk', () => {
    expect(section('risk')).toContain('The only copy of the datastore is on shop-server.')
    expect(section('risk')).toContain('1 volume on the disk of one machine only (1.2 GiB).')
    expect(section('risk')).toContain('1 machine whose disk nobody has seen.')
  })

  test('says what to do first, with commands', () => {
    expect(section('first')).toContain('ssh rancher@192.0.2.15')
  })

  test('says yes when nothing is in the way, and how to go on', () => {
    const document = inventory(cluster(), [machine('s1'), machine('a1')])
    const html = auditHtml({ assessment: look(document), inventory: document, configs: new Map() })
    expect(html).toContain('<h1>Yes: nothing stops a move.</h1>')
    expect(html).toContain('k3os-migrate plan --target debian')
  })

  test('says that there is nothing to leave', () => {
    const moved = kubeNode('d1', { osImage: 'Debian GNU/Linux 13 (trixie)' })
    const document = inventory(cluster({ nodes: [moved] }), [])
    const html = auditHtml({ assessment: look(document), inventory: document, configs: new Map() })
    expect(html).toContain('<h1>Nothing to leave: no machine runs k3OS.</h1>')
  })
})

describe('the section of a node', () => {
  test('has its configuration, each value with file and line, and what it replaced', () => {
    expect(nodeText('till-1')).toContain('hostname till-1 /k3os/system/config.yaml:1')
    expect(nodeText('till-1')).toContain(
      'k3os.labels.region eu-north /var/lib/rancher/k3os/config.d/10.yaml:1 instead of /k3os/system/config.yaml:7',
    )
  })

  test('says why there is none', () => {
    expect(nodeText('till-2')).toMatch(/k3OS rejects it as a whole: .* \( \/k3os\/system\/config\.yaml:3 \)/)
    expect(nodeText('sensor')).toContain('Not known: there is no bundle.')
    expect(nodeText('store-room')).toContain('Not known: the machine was not read.')
  })

  test('has its data, and what becomes of it by target', () => {
    expect(nodeText('till-1')).toContain('Volume shop/data-till-0')
    const text = nodeText('till-1')
    expect(text).toMatch(/1\.2 GiB .*Stays where the data is kept, in the same cluster: it stays at its path/)
    expect(text).toContain('To be carried in a new cluster (modern): it is copied to the new cluster')
    expect(text).toContain('Careful : deleting its claim deletes it.')
    expect(text).toContain('Lost : it goes with its pod when the node is drained.')
  })

  test('has its hardware, its targets with reasons, and its time as a sum', () => {
    expect(nodeText('sensor')).toContain('Raspberry Pi 3 Model B')
    expect(nodeText('sensor')).toContain(
      'does not fit modern The machine is armv7l, the target runs on x86_64',
    )
    expect(nodeText('shop-server')).toMatch(/watch 900 s 15 min for a server together 1620 s about 27 min/)
  })
})

test('secrets are numbers: equal ones have the same, and none is in the page', () => {
  expect(page).not.toContain(secrets.token)
  expect(page).not.toContain(secrets.password)
  const token = /k3os\.token &lt;redacted:(\d+)&gt;/.exec(nodeText('till-1'))?.[1]
  expect(nodeText('till-1')).toContain(`--token=&lt;redacted:${token}&gt;`)
  expect(nodeText('shop-server')).toContain(`k3os.token &lt;redacted:${token}&gt;`)
  expect(nodeText('till-1')).not.toContain(`k3os.password &lt;redacted:${token}&gt;`)
})

test('the picture says in words what it shows', () => {
  expect(/<svg\s+class="matrix"[^>]*aria-label="([^"]+)"/s.exec(page)?.[1]).toBe(
    'Which target fits, 5 nodes. small: 3 fits, 1 fits with changes, 1 unknown. modern: 2 fits with changes, 2 does not fit, 1 unknown.',
  )
})

test('the evidence names every input with its digest', () => {
  const evidence = page.slice(page.indexOf('id="evidence"'))
  expect(evidence).toContain(`sha256:${'ab'.repeat(32)}`)
  expect(evidence).toContain(`sha256:${'cd'.repeat(32)}`)
  for (const node of fiveNodesInventory().nodes)
    expect(evidence).toContain(
      node.status === 'read' ? `sha256:${node.bundle.sha256}` : `not read: ${node.reason}`,
    )
})

test('it loads nothing and runs nothing', () => {
  expect(page).not.toMatch(/<(script|link|iframe|img|object|embed)\b|\bon\w+=|url\(|@import|src=/)
})

test('every link has its target, ids are unique, headings go down one by one', () => {
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
  expect(new Set(ids).size).toBe(ids.length)
  for (const [, target] of page.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(target)
  const levels = [...page.matchAll(/<h([1-6])/g)].map(([, level]) => Number(level))
  for (const [index, level] of levels.entries())
    expect(level).toBeLessThanOrEqual((levels[index - 1] ?? 0) + 1)
})

test('hostile names stay text', () => {
  const name = '"><script>alert(1)</script>'
  const document = inventory(cluster({ nodes: [kubeNode(name)] }), [{ ...machine('a1'), name }])
  const html = auditHtml({ assessment: look(document), inventory: document, configs: new Map() })
  expect(html).not.toContain('<script')
  expect(html).toContain('&lt;script&gt;alert(1)')
})
