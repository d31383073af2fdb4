import type { Vm } from './vm.ts'

/** Of the scenario's vm-agent. */
const volume = '/var/lib/rancher/k3s/storage/pvc-0a1b_shop_orders'

/** In place of a pod that writes line after line, and is told each time that it is on the disk, until its machine goes down. */
export interface Writer {
  /** The lines that were answered for so far. */
  readonly answered: () => readonly string[]
  /** Prints what is there, on whatever machine has the disk. */
  readonly readCommand: string
  readonly ended: Promise<unknown>
}

const prefix = 'orders-'

export function startWriter(vm: Vm, name: string): Writer {
  const file = `${volume}/${prefix}${name}`
  const write = `echo "order $i" | dd of=${file} oflag=append conv=notrunc,fsync 2>/dev/null && echo "order $i"`
  let text = ''
  const ended = vm.ssh(`sudo sh -c 'i=0; while i=$((i + 1)); do ${write}; sleep 0.2; done'`, {
    onOutput: (more) => {
      text += more
    },
  })
  return { answered: () => text.split('\n').slice(0, -1), readCommand: `sudo cat ${file}`, ended }
}

/** Digests of volumes without the files of writers. */
export function withoutWriters(digests: string): string {
  return digests
    .split('\n')
    .filter((line) => !line.includes(`/${prefix}`))
    .join('\n')
}

/** Which of these lines `readCommand` does not print. */
export function missingLines(answered: readonly string[], printed: string): readonly string[] {
  const kept = new Set(printed.split('\n'))
  return answered.filter((line) => !kept.has(line))
}
