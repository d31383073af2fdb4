import { rootFile, type RootFile } from './root-file.ts'

/** For grub-mkconfig, which reads the folder as shell text after /etc/default/grub. */
export function grubDropIn(kernelArguments: readonly string[]): RootFile[] {
  if (kernelArguments.length === 0) return []
  return [
    rootFile(
      '/etc/default/grub.d/90-k3os-migrate.cfg',
      `GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX ${kernelArguments.join(' ')}"\n`,
    ),
  ]
}
