import type { InventoryNode } from '../../core/inventory.ts'
import { html, type Html } from '../html.ts'
import { definitions, type Row } from '../report/html-parts.ts'
import { timeText } from '../report/words.ts'
import type { Audit } from './audit.ts'

/** How it was made and from what: whoever has the files can make the same document again. */
export function evidenceSection({ assessment, inventory }: Audit): Html {
  const { metadata, waivers, targets } = assessment
  const facts = inventory.cluster?.status === 'read' ? inventory.cluster : null
  const rows: Row[] = [
    {
      label: 'Assessed',
      value: `${timeText(metadata.createdAt)} by k3os-migrate ${metadata.toolVersion}`,
      kind: 'text',
    },
    {
      label: 'Inventory',
      value: `${timeText(inventory.metadata.createdAt)} by k3os-migrate ${inventory.metadata.toolVersion}`,
      kind: 'text',
    },
    { label: 'inventory.yaml', value: `sha256:${assessment.inventory.sha256}`, kind: 'code' },
    ...(waivers === null
      ? []
      : [{ label: 'Waivers', value: `sha256:${waivers.sha256}`, kind: 'code' } as const]),
    ...(facts === null
      ? [{ label: 'Cluster', value: 'not read', kind: 'text' } as const]
      : [
          {
            label: 'Cluster',
            value: `${facts.facts.server}, ${facts.facts.version}, read ${timeText(facts.readAt)}`,
            kind: 'text',
          } as const,
          { label: 'Its identity', value: facts.facts.uid, kind: 'code' } as const,
        ]),
    { label: 'Targets', value: targets.map(({ title }) => title).join(', ') || 'none', kind: 'text' },
  ]
  return html`<section aria-labelledby="evidence">
    <h2 id="evidence">Evidence</h2>
    <p>
      Each machine was read once, into the file named below; nothing on it was changed. Everything in this
      document is computed from these files: the same files, the same version and the same time give the same
      bytes. Compare a file with <code>sha256sum</code>.
    </p>
    ${definitions(rows)}
    <h3>Machines</h3>
    ${inputTable(inventory.nodes)}
  </section>`
}

function inputTable(nodes: readonly InventoryNode[]): Html {
  const rows = nodes.map(
    (node) =>
      html`<tr>
        <td>${node.name}</td>
        ${
          node.status === 'error'
            ? html`<td colspan="2" class="bad">not read: ${node.reason}</td>`
            : html`<td data-label="Read">
                  ${timeText(node.readAt)}
                  <div class="sub">${node.how}</div>
                </td>
                <td>
                  <code>${node.bundle.file}</code>
                  <div class="sub"><code>sha256:${node.bundle.sha256}</code></div>
                </td>`
        }
      </tr> `,
  )
  return html`<table class="inputs">
    <thead>
      <tr>
        <th scope="col">Machine</th>
        <th scope="col">Read</th>
        <th scope="col">File</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`
}
