import type { HostModel } from '../../src/core/host/model.ts'
import type { TranslateTools } from '../../src/core/translation.ts'
import { ownFolder, rootFile, type RootFile } from './root-file.ts'

/**
 * A password that k3OS has in clear, for systems that only take hashes: a unit hashes it at the first boot and removes the
 * file.
 */
export function passwordParts(
  { user }: HostModel,
  tools: TranslateTools,
): { readonly files: readonly RootFile[]; readonly units: readonly string[] } {
  if (user.password === null || user.password.encrypted) return { files: [], units: [] }
  const path = `${ownFolder}/password`
  const unit = 'k3os-migrate-password.service'
  return {
    files: [
      rootFile(path, `${user.name}:${user.password.value}\n`, { mode: 0o600, from: user.password.from }),
      rootFile(`/etc/systemd/system/${unit}`, tools.render('linux/password.service.hbs', { path })),
    ],
    units: [unit],
  }
}
