import { describe, expect, test } from 'vitest'
import { dataFates } from '../../../../src/core/assess/data-fates.ts'
import { dataKinds, dataPlaces, type DataItem } from '../../../../src/core/assess/data-map.ts'
import { easyTarget } from './builders.ts'

const targets = [
  { id: 'debian', title: 'Debian', requires: easyTarget },
  { id: 'talos', title: 'Talos', requires: { ...easyTarget, rejoins: false } },
]

const item = (kind: DataItem['kind'], place: DataItem['place']): DataItem => ({
  kind,
  place,
  path: null,
  volume: null,
  claim: null,
  pods: [],
  bytes: null,
  reclaimPolicy: null,
})

/** `keeps-data debian kept` */
const rows = (kind: DataItem['kind'], place: DataItem['place']): string[] =>
  dataFates([item(kind, place)], targets).map(({ way, targets: ids, fate }) => `${way} ${ids.join()} ${fate}`)

describe('what becomes of data', () => {
  test('a volume on the disk of k3OS stays only in the same cluster and where data is kept', () => {
    expect(rows('volume', 'disk')).toEqual([
      'keeps-data debian kept',
      'keeps-data talos carried',
      'wipes-disk debian carried',
      'wipes-disk talos carried',
    ])
  })

  test('an emptyDir is lost whatever happens', () => {
    expect(new Set(rows('emptyDir', 'disk').map((row) => row.split(' ').at(-1)))).toEqual(new Set(['lost']))
  })

  test('what another disk or the network holds does not move', () => {
    expect(rows('hostPath', 'other-disk').every((row) => row.endsWith(' kept'))).toBe(true)
    expect(rows('volume', 'network').every((row) => row.endsWith(' external'))).toBe(true)
  })

  test('a wiped member of etcd gets the datastore from the others', () => {
    expect(rows('datastore', 'replicated')).toContain('wipes-disk debian external')
  })

  test('only what is there has rows, each kind and place once, and each row a reason', () => {
    expect(dataFates([], targets)).toEqual([])
    const all = dataKinds.flatMap((kind) => dataPlaces.map((place) => item(kind, place)))
    const found = dataFates([...all, ...all], targets)
    expect(found).toHaveLength(all.length * 4)
    expect(found.every(({ because }) => because !== '')).toBe(true)
  })

  test('alike targets share a row', () => {
    const found = dataFates(
      [item('volume', 'disk')],
      [...targets, { id: 'alpine', title: 'Alpine', requires: easyTarget }],
    )
    expect(found[0]?.targets).toEqual(['debian', 'alpine'])
  })
})
