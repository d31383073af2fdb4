const octet = '(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])'
const ipv4 = new RegExp(`^${octet}(?:\\.${octet}){3}$`)

/** Whether Go's net/netip takes it, with which Talos reads all its addresses; zones are of no use there. */
export function isAddress(text: string): boolean {
  return ipv4.test(text) || isIpv6(text)
}

/** An address with the length of its network behind it. */
export function isSubnet(text: string): boolean {
  const [, address = '', length = ''] = /^([^/]*)\/(\d{1,3})$/.exec(text) ?? []
  return length !== '' && Number(length) <= (ipv4.test(address) ? 32 : 128) && isAddress(address)
}

function isIpv6(text: string): boolean {
  const halves = text.split('::')
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')))
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return false
  return halves.length === 2 ? groups.length < 8 : halves.length === 1 && groups.length === 8
}
