import { planFile } from './planned-file.ts'
import { usualSpelling } from './names.ts'
import type { Place } from './reading.ts'
import type { Result } from './result.ts'
import type { ConfigFindings } from './config-findings.ts'

/** What in the merged result will not do what its author wanted, whatever source it came from. */
export function reviewConfig({ config, origins }: Result, findings: ConfigFindings): void {
  const at = (path: string): Place =>
    origins.get(path)?.place ?? { file: 'k3OS', line: 1, column: 1, endLine: 1, endColumn: 1 }
  const { k3os } = config

  for (const [index, file] of (config.writeFiles ?? []).entries()) {
    const planned = planFile(file)
    const base = `writeFiles[${index}]`
    if ('stage' in planned) {
      const path = `${base}.${planned.stage === 'decode' ? 'content' : 'permissions'}`
      findings.add('CFG-FILE-SKIPPED', { path: file.path, problem: planned.problem }, at(path), path)
    } else if (file.permissions !== '' && Number.parseInt(file.permissions, 8) !== planned.mode) {
      const path = `${base}.permissions`
      findings.add('CFG-SPECIAL-BITS', { path: file.path, permissions: file.permissions }, at(path), path)
    }
  }

  for (const [name, values, pattern, separator] of [
    ['dataSources', k3os.dataSources, /,/, 'comma'],
    ['modules', k3os.modules, /,/, 'comma'],
    ['dnsNameservers', k3os.dnsNameservers, /\S\s+\S/, 'blank'],
    ['ntpServers', k3os.ntpServers, /\S\s+\S/, 'blank'],
    // A blank behind the first = belongs to the value of a flag.
    ['k3sArgs', k3os.k3sArgs, /^[^=]*\S\s+\S/, 'blank'],
  ] as const)
    for (const [index, value] of (values ?? []).entries()) {
      if (!pattern.test(value)) continue
      const path = `k3os.${name}[${index}]`
      findings.add('CFG-NOT-SPLIT', { key: name, setting: usualSpelling(path), separator }, at(path), path)
    }

  if (k3os.password === '*' || k3os.password === '!')
    findings.add(
      'CFG-PASSWORD-LITERAL',
      { key: 'password', setting: 'k3os.password' },
      at('k3os.password'),
      'k3os.password',
    )

  const taints = k3os.taints?.length ?? 0
  if (taints > 1)
    findings.add(
      'CFG-SEVERAL-TAINTS',
      { key: 'taints', setting: 'k3os.taints', count: taints },
      at('k3os.taints[1]'),
      'k3os.taints[1]',
    )
}
