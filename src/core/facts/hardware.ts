import type { NodeFacts } from '../inventory.ts'
import { type Evidence, firstLine } from './evidence.ts'

/** Flags as Linux names them (`abm` stands for LZCNT, `pni` for SSE3): x86-64 psABI, table of micro-architecture levels. */
const x86Levels: readonly (readonly string[])[] = [
  ['lm', 'cmov', 'cx8', 'fpu', 'fxsr', 'mmx', 'syscall', 'sse', 'sse2'],
  ['cx16', 'lahf_lm', 'popcnt', 'pni', 'sse4_1', 'sse4_2', 'ssse3'],
  ['avx', 'avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'abm', 'movbe'],
  ['avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl'],
]

export function readCpu(evidence: Evidence, machine: string | null): NodeFacts['cpu'] {
  const text = evidence.text('/proc/cpuinfo')
  if (text === undefined) evidence.fail('/proc/cpuinfo', 'it does not exist')
  const lines = (text ?? '').split('\n').map((line) => {
    const colon = line.indexOf(':')
    return colon === -1 ? ['', ''] : [line.slice(0, colon).trim(), line.slice(colon + 1).trim()]
  })
  const value = (...keys: string[]): string | null =>
    lines.find(([key = '', text = '']) => keys.includes(key) && text !== '')?.[1] ?? null
  const cores = lines.filter(([key]) => key === 'processor').length
  const flags = (value('flags', 'Features') ?? '').split(' ').filter((flag) => flag !== '')
  return {
    model: value('model name', 'Model', 'Hardware', 'CPU part'),
    cores: cores === 0 ? null : cores,
    flags,
    x86Level: machine === 'x86_64' && flags.length > 0 ? x86Level(flags) : null,
  }
}

function x86Level(flags: readonly string[]): number | null {
  const level = x86Levels.findIndex((needed) => needed.some((flag) => !flags.includes(flag)))
  if (level === -1) return x86Levels.length
  return level === 0 ? null : level
}

export function readMemoryMib(evidence: Evidence): number | null {
  const text = evidence.text('/proc/meminfo')
  if (text === null) return null
  const [, kib] = /^MemTotal:\s+(\d+) kB/m.exec(text ?? '') ?? []
  return kib === undefined
    ? evidence.fail('/proc/meminfo', 'it does not say MemTotal')
    : Math.floor(Number(kib) / 1024)
}

/** DMI on PCs, the device tree on boards; a machine with neither has no name, which is no failure. */
export function readBoardModel(evidence: Evidence): string | null {
  const vendor = firstLine(evidence.text('/sys/class/dmi/id/sys_vendor'))
  const product = firstLine(evidence.text('/sys/class/dmi/id/product_name'))
  if (product !== null) return vendor === null ? product : `${vendor} ${product}`
  return firstLine(evidence.text('/sys/firmware/devicetree/base/model'))
}

export function readSystemUuid(evidence: Evidence): string | null {
  return firstLine(evidence.text('/sys/class/dmi/id/product_uuid'))
}
