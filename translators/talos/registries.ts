import { parse } from 'yaml'
import type { Traced } from '../../src/core/host/model.ts'
import type { Draft } from './draft.ts'

type Mapping = Readonly<Record<string, unknown>>

/**
 * k3s's registries.yaml as documents of Talos (k3s-io/k3s pkg/agent/containerd, rancher/wharfie pkg/registries). What has
 * no counterpart is reported: a pull that goes elsewhere is worse than one that fails.
 */
export function registries(given: Traced<string>, draft: Draft): void {
  const from = given.from
  let read: unknown
  try {
    read = parse(given.value, { version: '1.1', stringKeys: true, logLevel: 'error' })
  } catch {
    draft.report('TRN-TALOS-REGISTRIES', { what: 'registries.yaml', reason: 'it is no YAML' }, from, 'all')
    return
  }
  const { mirrors, configs } = mapping(read)
  for (const [name, mirror] of Object.entries(mapping(mirrors))) {
    const { endpoint, rewrite } = mapping(mirror)
    const endpoints = list(endpoint).filter((url) => /^https?:\/\//.test(url))
    draft.document(
      'RegistryMirrorConfig',
      name,
      {
        endpoints: endpoints.map((url) => ({ url, ...(/\/v2\b/.test(url) ? { overridePath: true } : {}) })),
      },
      from,
    )
    if (Object.keys(mapping(rewrite)).length > 0)
      draft.report(
        'TRN-TALOS-REGISTRIES',
        { what: `mirrors."${name}".rewrite`, reason: 'Talos cannot rewrite image names' },
        from,
        `rewrite ${name}`,
      )
  }
  for (const [name, config] of Object.entries(mapping(configs))) {
    const { auth, tls } = mapping(config)
    authentication(name, mapping(auth), from, draft)
    transport(name, mapping(tls), from, draft)
  }
  // Even an empty file is somebody's decision.
  draft.trace.push(
    ...from.map((source) => ({ from: source, to: { file: 'machine.yaml', path: 'Registry*Config' } })),
  )
}

function authentication(name: string, auth: Mapping, from: readonly string[], draft: Draft): void {
  const { username, password, auth: basic, identity_token: identity } = auth
  // Talos takes one way only; k3s prefers them in this order.
  const fields =
    typeof username === 'string' && username !== ''
      ? { username, password: text(password) }
      : typeof basic === 'string' && basic !== ''
        ? { auth: basic }
        : typeof identity === 'string' && identity !== ''
          ? { identityToken: identity }
          : null
  if (fields !== null) draft.document('RegistryAuthConfig', name, fields, from)
}

function transport(name: string, tls: Mapping, from: readonly string[], draft: Draft): void {
  if (tls['insecure_skip_verify'] === true)
    draft.document('RegistryTLSConfig', name, { insecureSkipVerify: true }, from)
  const files = ['ca_file', 'cert_file', 'key_file']
    .map((key) => tls[key])
    .filter((file) => typeof file === 'string')
  if (files.length > 0)
    draft.report(
      'TRN-TALOS-REGISTRIES',
      {
        what: `configs."${name}".tls`,
        reason: `Talos takes what is in ${files.join(', ')}, not their paths`,
      },
      from,
      `tls ${name}`,
    )
}

function mapping(value: unknown): Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Mapping) : {}
}

function list(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}
