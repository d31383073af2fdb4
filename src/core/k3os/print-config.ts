import { yaml } from '../yaml-text.ts'
import { trimSpace } from './coerce.ts'
import type { K3osConfig, K3osSection } from './config.ts'
import { snakeCase } from './names.ts'

/**
 * A merged configuration as one `config.yaml` in the usual spelling. k3OS reads the same configuration out of it, whatever
 * spellings and sources it came from.
 */
export function configYaml(config: K3osConfig): string {
  const { k3os, ...top } = config
  const { bare, padded } = section(k3os)
  return yaml({
    ...spelled(top),
    // Under this name k3OS takes values of maps as they are; under the usual one it trims them (rancher/k3os pkg/config/coerce.go).
    ...(Object.keys(padded).length === 0 ? {} : { K3OS: padded }),
    ...(Object.keys(bare).length === 0 ? {} : { k3os: bare }),
  })
}

const maps = ['sysctls', 'labels', 'environment'] as const

function section({ install, ...rest }: K3osSection): { bare: object; padded: object } {
  const isPadded = (name: string): boolean =>
    maps.some(
      (map) => map === name && Object.values(rest[map] ?? {}).some((text) => text !== trimSpace(text)),
    )
  const [padded, bare] = [true, false].map((wanted) =>
    Object.fromEntries(Object.entries(rest).filter(([name]) => isPadded(name) === wanted)),
  )
  return {
    bare: {
      ...spelled(bare ?? {}),
      // Empty, it is there by itself; without it somebody removed it with null.
      ...(install === undefined
        ? { install: null }
        : Object.keys(install).length === 0
          ? {}
          : { install: spelled(install) }),
    },
    padded: padded ?? {},
  }
}

/** Keys of maps and entries are one word each, so only the fields themselves have another spelling. */
function spelled(fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [snakeCase(name), value]))
}
