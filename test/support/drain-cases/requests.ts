import { type DrainCase, forbidden, variation, expectation } from './drain-case.ts'

/** What is asked for, and how it is sent. */

const one = [{ name: 'a' }]
const five = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ name }))
const names = five.map(({ name }) => name)
const noPages = { ages: ['1.20'] as const, because: '1.20 asks for the whole list at once' }
const error = { code: 500, message: 'the list failed' }
const wholeNodes = 'our own drain moves whole nodes'
const usage = { kept: ['a'], changes: [], cordoned: [], errors: ['usage'] }

export const requestCases: readonly DrainCase[] = [
  {
    number: 4,
    title: 'lists in pages',
    variations: [
      variation('three pages', { pods: five, pageSize: 2 }, {}, { gone: names }),
      variation(
        'an error in the middle',
        { pods: five, pageSize: 2, refusals: { 'list 2': [error] } },
        {},
        { kept: names, errors: ['list'] },
        {
          older: [{ ...noPages, instead: expectation({ gone: names }) }],
          strict: { because: 'a list that failed is asked for again', instead: expectation({ gone: names }) },
        },
      ),
      variation(
        'no permission in the middle',
        { pods: five, pageSize: 2, refusals: { 'list 2': [forbidden('the list failed')] } },
        {},
        { kept: names, errors: ['list'] },
        { older: [{ ...noPages, instead: expectation({ gone: names }) }] },
      ),
    ],
  },
  {
    number: 5,
    title: 'which nodes and pods',
    variations: [
      variation(
        'a pod selector',
        {
          pods: [
            { name: 'a', labels: { app: 'web' } },
            { name: 'b', owner: '', labels: { app: 'db' } },
          ],
        },
        { podSelector: 'app in (web, front)' },
        { gone: ['a'], kept: ['b'] },
        { strict: wholeNodes },
      ),
      variation('a bad pod selector', one, { podSelector: 'app=we b' }, usage, { strict: wholeNodes }),
      variation('a node and a selector', one, {}, usage, {
        argv: ['n1', '--selector=a=b'],
        nodes: [],
        strict: 'the nodes are those of the plan',
      }),
      variation('no argument', one, {}, usage, { nodes: [], strict: 'the nodes are those of the plan' }),
      variation(
        'an unknown node',
        one,
        {},
        { kept: ['a'], changes: [], cordoned: [], errors: ['no-node'] },
        { nodes: ['n9'] },
      ),
    ],
  },
  {
    number: 6,
    title: 'grace periods',
    variations: [
      variation('their own', one, {}, { gone: ['a'] }),
      ...[0, 30].map((graceSeconds) =>
        variation(
          `${graceSeconds} s`,
          one,
          { graceSeconds },
          { gone: ['a'], how: ` grace ${graceSeconds}` },
          {
            strict: {
              because: 'every pod gets its own grace period',
              instead: { changes: ['cordon n1', 'evict shop/a'] },
            },
          },
        ),
      ),
    ],
  },
  {
    number: 7,
    title: 'ways to evict',
    variations: [
      variation(
        'policy/v1',
        { pods: one, policy: ['v1'] },
        {},
        { gone: ['a'] },
        {
          older: [
            {
              ages: ['1.20'],
              because: '1.20 knows policy/v1beta1 only',
              instead: expectation({ failed: ['a'], errors: ['failed a'] }),
            },
          ],
        },
      ),
      variation('policy/v1beta1', { pods: one, policy: ['v1beta1'] }, {}, { gone: ['a'] }),
      variation(
        'none is served',
        { pods: one, policy: [] },
        {},
        { gone: ['a'], changes: ['cordon n1', 'delete shop/a'] },
        {
          strict: {
            because: 'pods are never deleted past their budgets',
            instead: expectation({
              kept: [],
              failed: ['a'],
              changes: ['cordon n1', 'evict shop/a'],
              errors: ['eviction'],
            }),
          },
        },
      ),
      variation(
        '--disable-eviction',
        one,
        { disableEviction: true },
        { gone: ['a'], changes: ['cordon n1', 'delete shop/a'] },
        {
          strict: {
            because: 'pods are never deleted past their budgets',
            instead: { changes: ['cordon n1', 'evict shop/a'] },
          },
        },
      ),
    ],
  },
  {
    number: 15,
    title: 'a cordon that fails',
    variations: [
      ...(
        [
          [403, 'Forbidden'],
          [409, 'Conflict'],
          [500, 'InternalError'],
        ] as const
      ).map(([code, reason]) =>
        variation(
          `${code}`,
          {
            pods: one,
            refusals: { 'cordon n1': [{ code, reason, message: 'not cordoned', forever: true }] },
          },
          { timeoutMs: 4_000 },
          { gone: ['a'], exit: 'ok', errors: ['cordon n1'], cordoned: [] },
          {
            strict: {
              because: 'nothing is evicted from a node that is not cordoned',
              instead: expectation({ kept: ['a'], errors: ['cordon n1'], cordoned: [] }),
            },
          },
        ),
      ),
      variation(
        'already cordoned',
        { pods: one, cordoned: ['n1'] },
        {},
        { gone: ['a'], changes: ['evict shop/a'] },
        {
          strict: {
            because: "the node is marked as the run's work with the same request",
            instead: { changes: ['cordon n1', 'evict shop/a'] },
          },
        },
      ),
    ],
  },
  {
    number: 16,
    title: 'two nodes, the first fails',
    variations: [
      variation(
        'a pod without a controller on the first',
        {
          pods: [
            { name: 'a', owner: '' },
            { name: 'b', node: 'n2' },
          ],
        },
        {},
        {
          gone: ['b'],
          kept: ['a'],
          errors: ['unmanaged a'],
          changes: ['cordon n1', 'cordon n2', 'evict shop/b'],
          cordoned: ['n1', 'n2'],
        },
        {
          nodes: ['n1', 'n2'],
          older: [
            {
              ages: ['1.20'],
              because: '1.20 stops at the first node that fails',
              instead: { gone: [], kept: ['shop/a', 'shop/b'], changes: ['cordon n1', 'cordon n2'] },
            },
          ],
          strict: {
            because: 'a run stops at the first failure, and touches no other node before',
            instead: expectation({ kept: ['a', 'b'], errors: ['unmanaged a'] }),
          },
        },
      ),
    ],
  },
  {
    number: 17,
    title: 'dry runs',
    variations: [
      variation('client', one, { dryRun: 'client' }, { kept: ['a'], changes: [], cordoned: [] }),
      variation(
        'server',
        one,
        { dryRun: 'server' },
        { kept: ['a'], changes: ['cordon n1 dry-run', 'evict shop/a dry-run'], cordoned: [] },
        {
          strict: {
            because: 'a dry run of ours only reads',
            instead: { changes: [] },
          },
        },
      ),
      variation(
        'server, by deletion',
        one,
        { dryRun: 'server', disableEviction: true, timeoutMs: 4_000 },
        {
          kept: ['a'],
          changes: ['cordon n1 dry-run', 'delete shop/a dry-run'],
          cordoned: [],
          errors: ['timeout'],
        },
        {
          compatible: {
            because: 'it does not wait for a deletion that never comes, as kubectl from 2026-03 on',
            instead: { exit: 'ok', errors: [] },
          },
          strict: {
            because: 'a dry run of ours only reads',
            instead: expectation({ kept: ['a'], changes: [], cordoned: [] }),
          },
        },
      ),
    ],
  },
]
