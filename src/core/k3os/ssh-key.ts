/** `url` is null for a scheme nobody can fetch. */
export interface KeySource {
  readonly url: string | null
}

const providers: Readonly<Record<string, string>> = {
  github: 'https://github.com/',
  gitlab: 'https://gitlab.com/',
}

/**
 * Where k3OS fetches an entry of `ssh_authorized_keys` from; null for a key that stands there itself. An entry counts as
 * a URL when Go's url.Parse finds a scheme in it: rancher/k3os pkg/ssh getKey.
 */
export function fetchedFrom(key: string): KeySource | null {
  const parsed = parseUrl(key)
  if (parsed === null) return null
  const provider = providers[parsed.scheme]
  if (provider !== undefined) return { url: `${provider}${parsed.opaque}.keys` }
  return { url: parsed.scheme === 'http' || parsed.scheme === 'https' ? key : null }
}

/** As much of Go's url.Parse as decides whether it fails. `opaque` is `octocat` of `github:octocat`. */
function parseUrl(text: string): { scheme: string; opaque: string } | null {
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):(.*)$/s.exec(text)
  // eslint-disable-next-line no-control-regex -- Go refuses control characters
  if (match === null || /[\0-\x1f\x7f]/.test(text)) return null
  const [, scheme = '', rest = ''] = match
  const [beforeFragment = ''] = rest.split('#', 1)
  const [address = ''] = beforeFragment.split('?', 1)
  if (!address.startsWith('/')) return { scheme: scheme.toLowerCase(), opaque: address }
  const host = /^\/\/([^/]*)/.exec(address)?.[1] ?? ''
  const [, port] = /:([^:\]]*)$/.exec(host) ?? []
  const fails =
    /[\s<>"\\^`{|}]/.test(host) || (port !== undefined && !/^\d*$/.test(port)) || hasBadEscape(address)
  return fails ? null : { scheme: scheme.toLowerCase(), opaque: '' }
}

function hasBadEscape(text: string): boolean {
  return /%(?![0-9A-Fa-f]{2})/.test(text)
}
