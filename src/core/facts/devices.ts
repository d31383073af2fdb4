import type { DeviceFacts } from '../machine-facts.ts'
import type { Evidence } from './evidence.ts'

const pciDevices = '/sys/bus/pci/devices'
const usbDevices = '/sys/bus/usb/devices'

/** From what the kernel tells udev about each device; boards without such a bus have none of them. */
export function readDevices(evidence: Evidence): DeviceFacts {
  const pci = ueventsBelow(evidence, pciDevices).flatMap(([slot, event]) => {
    const id = event.get('PCI_ID')?.toLowerCase()
    const kind = event.get('PCI_CLASS')?.toLowerCase().padStart(6, '0')
    if (id === undefined || kind === undefined) return []
    return [{ slot, id, class: kind, driver: event.get('DRIVER') ?? null }]
  })
  const usb = ueventsBelow(evidence, usbDevices).flatMap(([port, event]) => {
    const [vendor, product] = (event.get('PRODUCT') ?? '').toLowerCase().split('/')
    if (event.get('DEVTYPE') !== 'usb_device' || vendor === undefined || product === undefined) return []
    return [{ port, id: `${vendor.padStart(4, '0')}:${product.padStart(4, '0')}` }]
  })
  return { pci, usb }
}

function ueventsBelow(
  evidence: Evidence,
  directory: string,
): (readonly [string, ReadonlyMap<string, string>])[] {
  return evidence.matches(`${directory}/*/uevent`).map((path) => {
    const lines = (evidence.text(path) ?? '').split('\n')
    const pairs = lines.map((line) => {
      const [key = '', value = ''] = line.split('=', 2)
      return [key, value] as const
    })
    return [path.slice(directory.length + 1, -'/uevent'.length), new Map(pairs)] as const
  })
}

/** `/proc/modules`: name, size, uses, users, state, address. */
export function readModules(evidence: Evidence): string[] {
  const text = evidence.text('/proc/modules')
  if (text === undefined) evidence.fail('/proc/modules', 'it does not exist')
  return (text ?? '')
    .split('\n')
    .flatMap((line) => line.split(' ', 1))
    .filter((name) => name !== '')
    .toSorted()
}
