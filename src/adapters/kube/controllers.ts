import { CustomObjectsApi, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node'
import { controllerResources, type ControllerObject } from '../../core/competing.ts'
import { controllerState, switchPatch } from '../../core/controller-switch.ts'
import { exitCode, MigrateError } from '../../core/errors.ts'
import type { Kube } from '../../migrate/ports.ts'
import type { Api } from './api.ts'
import { type ApiCall, saysNotFound } from './failure.ts'
import { readGroups } from './groups.ts'

/** Controllers of the cluster as they are switched on and off. */
export function controllersOf(api: Api): Pick<Kube, 'controller' | 'switchController'> {
  async function addressOf({ kind, namespace, name }: ControllerObject, signal: AbortSignal) {
    const { apiGroup: group, resource: plural } = controllerResources[kind]
    return { group, plural, version: await versionOf(group, signal), namespace, name }
  }

  /** CronJobs came to `batch/v1` with Kubernetes 1.21, long after the version itself. */
  async function versionOf(group: string, signal: AbortSignal): Promise<string> {
    if (group === 'apps') return 'v1'
    const offered = (await readGroups(api, signal)).get(group) ?? []
    const version = ['v1beta1', 'v1'].find((one) => offered.includes(one))
    if (version !== undefined) return version
    throw new MigrateError(`${api.place.server} offers no CronJobs`, { exitCode: exitCode.unexpected })
  }

  return {
    async controller(object, signal) {
      const address = await addressOf(object, signal)
      try {
        const raw: unknown = await api.call(callFor('get', object), signal, (configuration) =>
          new CustomObjectsApi(configuration).getNamespacedCustomObject(address),
        )
        return controllerState(raw, object.kind)
      } catch (error) {
        if (saysNotFound(error)) return undefined
        throw error
      }
    },

    async switchController(object, to, mark, signal) {
      const address = await addressOf(object, signal)
      await api.call(callFor('patch', object), signal, (configuration) =>
        new CustomObjectsApi(configuration).patchNamespacedCustomObject(
          { ...address, body: switchPatch(to, mark) },
          setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
        ),
      )
    },
  }
}

function callFor(verb: 'get' | 'patch', { kind, namespace, name }: ControllerObject): ApiCall {
  const { apiGroup: group, resource: plural } = controllerResources[kind]
  return { verb, resource: `${plural}.${group}`, namespace, name }
}
