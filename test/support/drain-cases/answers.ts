import type { KubectlAge } from '../kubectl.ts'
import { type DrainCase, expectation, held, variation } from './drain-case.ts'

/** What the server answers, and what happens while a drain waits. */

const one = [{ name: 'a' }]
const timeoutMs = 8_000
const beforePatience: readonly KubectlAge[] = ['1.20', '1.23', '1.28']
const readsFail = { code: 500, message: 'etcdserver: request timed out' }
const silently = 'the Go client repeats without a word what carries a time to come back; ours says so'
const retriedByUs = 'a request that fails in a way that may pass is repeated'
const namespaceEnds = {
  code: 403,
  reason: 'Forbidden',
  message:
    'pods "a" is forbidden: unable to create new content in namespace shop because it is being terminated',
  details: { causes: [{ reason: 'NamespaceTerminating', message: 'namespace shop is being terminated' }] },
  forever: true,
}

export const answerCases: readonly DrainCase[] = [
  {
    number: 8,
    title: 'a budget holds a pod',
    variations: [
      variation(
        'twice, then not',
        { pods: one, refusals: { 'evict shop/a': [held(), held()] } },
        {},
        { gone: ['a'], retried: ['a'] },
      ),
      variation(
        'for ever',
        { pods: one, refusals: { 'evict shop/a': [held({ forever: true })] } },
        { timeoutMs },
        { failed: ['a'], retried: ['a'], errors: ['timeout a'] },
      ),
      variation(
        'and the server says in a header when to come back',
        { pods: one, refusals: { 'evict shop/a': [held({ retryAfter: 1 }), held({ retryAfter: 1 })] } },
        {},
        { gone: ['a'] },
        {
          compatible: { because: silently, instead: { retried: ['shop/a'] } },
          strict: { because: silently, instead: { retried: ['shop/a'] } },
        },
      ),
      variation(
        'and the server says it in the body only',
        { pods: one, refusals: { 'evict shop/a': [held({}, { retryAfterSeconds: 1 })] } },
        {},
        { gone: ['a'], retried: ['a'] },
      ),
    ],
  },
  {
    number: 9,
    title: 'a budget holds one of two',
    variations: [
      variation(
        'for ever',
        { pods: [{ name: 'a' }, { name: 'b' }], refusals: { 'evict shop/a': [held({ forever: true })] } },
        { timeoutMs },
        { gone: ['b'], failed: ['a'], retried: ['a'], errors: ['timeout a'] },
      ),
    ],
  },
  {
    number: 10,
    title: 'evictions that fail',
    variations: [
      variation(
        'two budgets',
        {
          pods: [{ name: 'a' }, { name: 'b' }],
          refusals: {
            'evict shop/a': [
              {
                code: 500,
                message:
                  'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
                forever: true,
              },
            ],
          },
        },
        {},
        { gone: ['b'], failed: ['a'], errors: ['failed a'] },
      ),
      ...(
        [
          ['the leader of etcd changed', { code: 500, message: 'etcdserver: leader changed' }],
          ['a connection is reset', { connection: 'reset' }],
          ['no answer comes', { connection: 'hang' }],
        ] as const
      ).map(([what, refusal]) =>
        variation(
          what,
          { pods: one, refusals: { 'evict shop/a': [refusal] } },
          {},
          { failed: ['a'], errors: ['failed a'] },
          {
            requestMs: 2_000,
            strict: { because: retriedByUs, instead: expectation({ gone: ['a'] }) },
          },
        ),
      ),
      variation(
        'the server restarts and says when to come back',
        {
          pods: one,
          refusals: {
            'evict shop/a': [
              { code: 503, reason: 'ServiceUnavailable', message: 'restarting', retryAfter: 1 },
            ],
          },
        },
        {},
        { gone: ['a'] },
        { compatible: { because: silently, instead: { retried: ['shop/a'] } } },
      ),
    ],
  },
  {
    number: 11,
    title: 'pods that go by themselves, and their successors',
    variations: [
      variation(
        'gone before its eviction',
        {
          pods: [{ name: 'a', deletedAfterRefusalMs: 0 }],
          refusals: { 'evict shop/a': [{ code: 404, reason: 'NotFound', message: 'pods "a" not found' }] },
        },
        {},
        { gone: ['a'] },
      ),
      variation(
        'its successor is on another node while it is waited for',
        [{ name: 'a', endsAfterMs: 1_500, successor: { node: 'n2', once: 'ended' } }],
        {},
        { gone: ['a'], kept: ['a*'], changes: ['cordon n1', 'evict shop/a'] },
      ),
      variation(
        'its successor is on another node while a budget holds it',
        {
          pods: [{ name: 'a', successor: { node: 'n2', once: 'refused' } }],
          refusals: { 'evict shop/a': [held()] },
        },
        {},
        { gone: ['a', 'a*'], retried: ['a'], changes: ['cordon n1', 'evict shop/a'] },
        {
          compatible: {
            because: 'a pod of the same name is not the pod that was to go',
            instead: { gone: ['shop/a'], failed: [], kept: ['shop/a*'] },
          },
          strict: {
            because: 'a pod of the same name is not the pod that was to go',
            instead: { gone: ['shop/a'], failed: [], kept: ['shop/a*'] },
          },
        },
      ),
    ],
  },
  {
    number: 12,
    title: 'reads fail while a pod is waited for',
    variations: [
      variation(
        'once',
        {
          pods: [{ name: 'a', endsAfterMs: 4_000 }],
          refusalsWhileWaiting: { 'get shop/a': [readsFail], 'list 1': [readsFail] },
        },
        {},
        { ending: ['a'], errors: ['failed a'] },
        {
          older: [
            {
              ages: beforePatience,
              because: 'up to 1.29 an error counted as gone',
              instead: { exit: 'ok', errors: [] },
            },
          ],
          strict: {
            because: 'an error keeps what is known, and the wait goes on',
            instead: expectation({ gone: ['a'] }),
          },
        },
      ),
      variation(
        'always',
        {
          pods: [{ name: 'a', endsAfterMs: Infinity }],
          refusalsWhileWaiting: {
            'get shop/a': [{ ...readsFail, forever: true }],
            'list 1': [{ ...readsFail, forever: true }],
          },
        },
        { timeoutMs: 10_000 },
        { ending: ['a'], errors: ['failed a'] },
        {
          older: [
            {
              ages: beforePatience,
              because: 'up to 1.29 an error counted as gone',
              instead: { exit: 'ok', errors: [] },
            },
          ],
          strict: {
            because: 'it waits to the timeout',
            instead: { errors: ['timeout shop/a'] },
          },
        },
      ),
    ],
  },
  {
    number: 13,
    title: 'a pod that does not end',
    variations: [
      variation(
        'waited for',
        [{ name: 'a', endsAfterMs: Infinity }],
        { timeoutMs },
        { ending: ['a'], errors: ['timeout a'] },
      ),
      variation(
        'skipped after 3 s',
        [{ name: 'a', endsAfterMs: Infinity }],
        { timeoutMs: 12_000, skipEndingForSeconds: 3 },
        { ending: ['a'] },
        {
          strict: {
            because: 'a pod that does not end is named, never skipped',
            instead: expectation({ ending: ['a'], errors: ['timeout a'] }),
          },
        },
      ),
      variation(
        'which was ending before',
        [{ name: 'a', endingForSeconds: 5, endsAfterMs: Infinity }],
        { timeoutMs },
        { ending: ['a'], errors: ['timeout a'] },
        {
          strict: {
            because: 'evicting a pod that is ending changes nothing; it is waited for',
            instead: expectation({ kept: ['a'], errors: ['timeout a'] }),
          },
        },
      ),
    ],
  },
  {
    number: 14,
    title: 'a namespace that is being deleted',
    variations: [
      variation(
        'its pod is ending',
        {
          pods: [{ name: 'a', endingForSeconds: 2 }],
          refusals: { 'evict shop/a': [namespaceEnds] },
        },
        {},
        { gone: ['a'] },
        {
          strict: {
            because: 'evicting a pod that is ending changes nothing; it is waited for',
            instead: { changes: ['cordon n1'] },
          },
        },
      ),
      variation(
        'its pod is not ending yet',
        {
          pods: [{ name: 'a', deletedAfterRefusalMs: 1_000, endsAfterMs: 7_000 }],
          refusals: { 'evict shop/a': [namespaceEnds] },
        },
        { timeoutMs: 12_000 },
        { gone: ['a'], retried: ['a'] },
        {
          older: [
            {
              ages: ['1.20', '1.23', '1.28'],
              because: 'they do not look at the pod again, and ask for ever',
              instead: { exit: 'failed', errors: ['timeout shop/a'] },
            },
          ],
        },
      ),
    ],
  },
  {
    number: 19,
    title: 'many pods',
    variations: [
      variation(
        '500',
        Array.from({ length: 500 }, (_, index) => ({ name: `p${index}` })),
        { timeoutMs: 180_000 },
        { gone: Array.from({ length: 500 }, (_, index) => `p${index}`) },
      ),
    ],
  },
  {
    number: 20,
    title: 'a pod that comes after the list',
    variations: [
      variation(
        'of a controller that tolerates cordons',
        {
          pods: [{ name: 'a', endsAfterMs: 1_500 }],
          arriving: [{ name: 'late', owner: 'example.org/v1 Fleet' }],
        },
        {},
        { gone: ['a'], kept: ['late'] },
        {
          strict: {
            because: 'the end is two lists that show the node empty',
            instead: expectation({ gone: ['a'], kept: ['late'], errors: ['appeared late'] }),
          },
        },
      ),
    ],
  },
  {
    number: 22,
    title: 'interrupted while a budget holds a pod',
    variations: [
      variation(
        'ctrl-c',
        { pods: one, refusals: { 'evict shop/a': [held({ forever: true })] } },
        {},
        { failed: ['a'], retried: ['a'], exit: 'failed' },
        { interrupt: true },
      ),
    ],
  },
]
