import type { FilePurpose } from './model.ts'

const manifests = /^\/var\/lib\/rancher\/k3s\/server\/manifests\//
const k3sConfig = /^\/etc\/rancher\/k3s\//
const connman = /^\/(?:var\/lib\/connman|etc\/connman)\//
const openrc = /^\/etc\/(?:init\.d|conf\.d|runlevels)\/|^\/etc\/(?:inittab|rc\.conf)$/
const localD = /^\/etc\/local\.d\/.+\.(?:start|stop)$/
const inMemory = /^\/(?:run|var\/run|tmp|dev)\//
/** Links into the read-only /usr; /usr/local leads to /var/local and /usr/libexec/kubernetes below /var/lib/rancher. */
const readOnly = /^\/(?:usr(?!\/local\/|\/libexec\/kubernetes\/)|s?bin|lib(?:64)?|k3os\/system)\//

/** What a file of write_files is for, by its place; the places are those of rancher/k3os overlay/. */
export function filePurpose(path: string): FilePurpose {
  if (path === '/etc/environment') return 'environment'
  if (manifests.test(path)) return 'k3s-manifest'
  if (k3sConfig.test(path)) return 'k3s-config'
  if (connman.test(path)) return 'connman'
  if (localD.test(path)) return 'local-d'
  if (openrc.test(path)) return 'openrc'
  if (unwritableReason(path) !== null) return 'unwritable'
  if (inMemory.test(path)) return 'ephemeral'
  return 'plain'
}

/** Why k3OS's write fails: it makes a temporary file beside the path and renames it (rancher/k3os pkg/writefile). */
export function unwritableReason(path: string): string | null {
  if (/^\/(?:proc|sys)\//.test(path)) return 'the kernel lets nobody make files there'
  if (readOnly.test(path)) return 'that file system is read-only on k3OS'
  return null
}
