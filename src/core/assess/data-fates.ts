import type { AssessedTarget } from './context.ts'
import { dataKinds, dataPlaces, type DataItem, type DataKind, type DataPlace } from './data-map.ts'

/** `carried`: it is gone unless somebody copies it out and back; `external`: it is not on this machine alone. */
export const fates = ['kept', 'carried', 'lost', 'external'] as const
export type DataFateWord = (typeof fates)[number]

/**
 * What a move does to the disk of k3OS: a method for which the plan says `keepsData` leaves what lies on it, any other writes
 * it anew.
 */
export const diskWays = ['keeps-data', 'wipes-disk'] as const
export type DiskWay = (typeof diskWays)[number]

/** What becomes of all data of a kind and a place, by what happens to the disk and by target. */
export interface DataFate {
  readonly kind: DataKind
  readonly place: DataPlace
  readonly way: DiskWay
  /** Ids, in the order of the targets; never empty. */
  readonly targets: readonly string[]
  readonly fate: DataFateWord
  readonly because: string
}

/** A row for each kind and place that is there, way to move, and targets that are alike. */
export function dataFates(items: readonly DataItem[], targets: readonly AssessedTarget[]): DataFate[] {
  const there = new Set(items.map(({ kind, place }) => `${kind} ${place}`))
  const groups = [true, false]
    .map((rejoins) => ({
      rejoins,
      ids: targets.filter(({ requires }) => requires.rejoins === rejoins).map(({ id }) => id),
    }))
    .filter(({ ids }) => ids.length > 0)
  return dataKinds.flatMap((kind) =>
    dataPlaces
      .filter((place) => there.has(`${kind} ${place}`))
      .flatMap((place) =>
        diskWays.flatMap((way) =>
          groups.map(({ rejoins, ids }): DataFate => {
            const [fate, because] = fateOf(kind, place, way, rejoins)
            return { kind, place, way, targets: ids, fate, because }
          }),
        ),
      ),
  )
}

function fateOf(
  kind: DataKind,
  place: DataPlace,
  way: DiskWay,
  rejoins: boolean,
): readonly [DataFateWord, string] {
  if (kind === 'emptyDir') return ['lost', 'it goes with its pod when the node is drained']
  switch (place) {
    case 'network':
      if (kind !== 'datastore') return ['external', 'no disk of a node holds it']
      return rejoins
        ? ['external', 'the new system reaches it with the same endpoint, token and keys']
        : ['external', 'it stays where it is; the new cluster has its own']
    case 'other-disk':
      return ['kept', 'it is on a disk that the move does not write; the new system has to mount it']
    case 'replicated':
      if (rejoins && way === 'wipes-disk')
        return ['external', 'the other members of etcd hold it, and the server joins again as a new one']
      break
    case 'disk':
      break
  }
  if (!rejoins)
    return kind === 'datastore'
      ? ['carried', 'the new cluster has its own; the objects are applied there again']
      : kind === 'orphan'
        ? [
            'carried',
            'nothing in the new cluster asks for it; it is copied off the machine if anybody wants it',
          ]
        : ['carried', 'it is copied to the new cluster while nothing writes to it']
  if (way === 'keeps-data') return ['kept', 'it stays at its path and is compared before k3s starts']
  return ['carried', 'the disk is written anew: what is not copied out, and back before k3s starts, is gone']
}
