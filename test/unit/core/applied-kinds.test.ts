import { describe, expect, test } from 'vitest'
import { appliedKinds } from '../../../src/core/applied-kinds.ts'
import { removedApiTable } from '../../../src/core/data/removed-apis.ts'
import { newestMinor } from '../../../src/core/k3s/ladder.ts'

/** Read with all that they hold, for other reasons. */
const readAnyway = [
  'CronJob',
  'CustomResourceDefinition',
  'DaemonSet',
  'Deployment',
  'HorizontalPodAutoscaler',
  'Ingress',
  'Lease',
  'MutatingWebhookConfiguration',
  'PodDisruptionBudget',
  'ReplicaSet',
  'StatefulSet',
  'StorageClass',
  'ValidatingWebhookConfiguration',
]
/** Written by programs, or a question that leaves no object. */
const notApplied = [
  'APIGroupDiscovery',
  'AdmissionReview',
  'CSINode',
  'CSIStorageCapacity',
  'ClusterCIDR',
  'ControllerRevision',
  'DeploymentRollback',
  'Event',
  'Eviction',
  'IPAddress',
  'JobTemplate',
  'LeaseCandidate',
  'LocalSubjectAccessReview',
  'Policy',
  'ResourceSlice',
  'Scale',
  'SelfSubjectAccessReview',
  'SelfSubjectReview',
  'SelfSubjectRulesReview',
  'SubjectAccessReview',
  'TokenReview',
  'VolumeAttachment',
]

describe('kinds read for how they were applied', () => {
  test('are all that end, that people apply, and that are not read anyway', () => {
    const ending = removedApiTable
      .trim()
      .split('\n')
      .map((line) => line.split(' '))
      .filter(([, , minor]) => Number(minor) <= newestMinor)
      .flatMap(([, , , , kinds = '']) => kinds.split(','))
    const known = [...readAnyway, ...notApplied, ...appliedKinds.map(({ kind }) => kind)]
    expect([...new Set(ending)].toSorted()).toEqual(known.toSorted())
  })

  test('each have a version, the one that stays first', () => {
    const versions = new Map(appliedKinds.map(({ kind, versions: all }) => [kind, all]))
    expect([...versions].filter(([, all]) => all.length === 0)).toEqual([])
    expect(versions.get('NetworkPolicy')).toEqual(['v1'])
    expect(versions.get('PodSecurityPolicy')).toEqual(['v1beta1'])
    expect(versions.get('ClusterRole')).toEqual(['v1', 'v1alpha1', 'v1beta1'])
  })
})
