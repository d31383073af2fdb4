import { AuthorizationV1Api } from '@kubernetes/client-node'
import { z } from 'zod'
import { parseObject } from '../../core/kube-raw.ts'
import { permissionsOf, type Permission } from '../../core/rbac.ts'
import type { AccessReviewer } from '../../migrate/ports.ts'
import type { Api } from './api.ts'

const reviewed = z.object({ status: z.object({ allowed: z.boolean() }) })

/** The server itself says what it would allow: every account may ask that about itself (ClusterRole system:basic-user). */
export function accessReviewerOf(api: Api): AccessReviewer {
  async function isAllowed(permission: Permission, signal: AbortSignal): Promise<boolean> {
    const { verb, apiGroup: group, namespace, name } = permission
    const [resource, subresource] = permission.resource.split('/')
    const resourceAttributes = {
      verb,
      group,
      ...(resource === undefined ? {} : { resource }),
      ...(subresource === undefined ? {} : { subresource }),
      ...(namespace === null ? {} : { namespace }),
      ...(name === null ? {} : { name }),
    }
    const what = { verb: 'create', resource: 'selfsubjectaccessreviews.authorization.k8s.io' } as const
    const answer = await api.call(what, signal, (configuration) =>
      new AuthorizationV1Api(configuration).createSelfSubjectAccessReview({
        body: { spec: { resourceAttributes } },
      }),
    )
    return parseObject('SelfSubjectAccessReview', reviewed, answer).status.allowed
  }

  return {
    where: `${api.place.context} (${api.place.server})`,
    async missing(rules, signal) {
      const permissions = permissionsOf(rules)
      const allowed = await Promise.all(permissions.map(async (one) => isAllowed(one, signal)))
      return permissions.filter((_, index) => allowed[index] === false)
    },
  }
}
