import { describe, expect, test } from 'vitest'
import type { Assessment } from '../../../../src/core/assessment.ts'
import type { Webhook, WebhookService } from '../../../../src/core/cluster-objects.ts'
import type { ClusterFacts } from '../../../../src/core/inventory.ts'
import { checkResult, cluster, inventory, look, of, pod } from './builders.ts'

const webhook = (changes: Partial<Webhook> = {}): Webhook => ({
  kind: 'ValidatingWebhookConfiguration',
  configuration: 'policy',
  name: 'check.policy.example',
  failurePolicy: 'Fail',
  timeoutSeconds: 10,
  service: { namespace: 'policy', name: 'policy' },
  rules: ['CREATE pods'],
  namespaceSelector: null,
  ...changes,
})

const service = (changes: Partial<WebhookService> = {}): WebhookService => ({
  namespace: 'policy',
  name: 'policy',
  exists: true,
  ready: [],
  notReady: 0,
  ...changes,
})

const assessed = (changes: Partial<ClusterFacts>): Assessment =>
  look(inventory(cluster({ webhooks: [webhook()], ...changes })))

describe('a webhook that refuses when nobody answers', () => {
  test('and whose Service is not there stops everything now', () => {
    const assessment = assessed({ webhookServices: [service({ exists: false })] })
    expect(of(assessment, 'PRE-WEBHOOK-DEAD')).toMatchObject([
      {
        severity: 'inhibitor',
        summary:
          'the webhook check.policy.example refuses when nobody answers, and its Service policy/policy does not exist',
      },
    ])
    expect(of(assessment, 'PRE-WEBHOOKS')).toEqual([])
  })

  test('says how many do not answer yet', () => {
    const [f] = of(assessed({ webhookServices: [service({ notReady: 2 })] }), 'PRE-WEBHOOK-DEAD')
    expect(f?.summary).toContain('policy/policy has no ready endpoint (2 not ready)')
  })

  test('is mild when no namespace has the labels it asks for', () => {
    const selector = { matchLabels: { checked: 'yes' }, matchExpressions: [] }
    const assessment = assessed({
      webhooks: [webhook({ namespaceSelector: selector })],
      webhookServices: [service()],
      namespaces: [{ name: 'shop', labels: {} }],
    })
    expect(of(assessment, 'PRE-WEBHOOK-DEAD')[0]?.severity).toBe('low')
  })

  test('names the namespaces it is asked about', () => {
    const selector = { matchLabels: { checked: 'yes' }, matchExpressions: [] }
    const assessment = assessed({
      webhooks: [webhook({ namespaceSelector: selector })],
      webhookServices: [service()],
      namespaces: [
        { name: 'shop', labels: { checked: 'yes' } },
        { name: 'office', labels: {} },
      ],
    })
    expect(of(assessment, 'PRE-WEBHOOK-DEAD')[0]?.diagnosis).toContain('CREATE pods in shop')
  })

  test('is answered from one node by its Endpoints, whatever else runs in the namespace', () => {
    const pods = [pod('policy-1', { namespace: 'policy' }), pod('other', { namespace: 'policy', node: 's1' })]
    const ready = [{ node: 'a1', pod: 'policy-1' }]
    const [f] = of(assessed({ pods, webhookServices: [service({ ready })] }), 'PRE-WEBHOOKS')
    expect(f).toMatchObject({ severity: 'inhibitor', nodes: ['a1'] })
  })

  test('passes when two nodes answer, or somebody outside of the cluster', () => {
    for (const other of ['s1', null]) {
      const ready = [
        { node: 'a1', pod: 'policy-1' },
        { node: other, pod: null },
      ]
      expect(checkResult(assessed({ webhookServices: [service({ ready })] }), 'PRE-WEBHOOKS')).toBe('pass')
    }
  })

  test('is not taken for answered when nobody read who answers', () => {
    expect(checkResult(assessed({}), 'PRE-WEBHOOK-DEAD')).toBe('skip')
    expect(of(assessed({ pods: [] }), 'PRE-WEBHOOKS')[0]?.severity).toBe('medium')
  })
})
