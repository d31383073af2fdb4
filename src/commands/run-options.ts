/** Flags that `apply` and `resume` share. */
export interface RunOptions {
  readonly kubeconfig?: string
  readonly context?: string
  readonly stateDir?: string
  readonly identity?: string
  readonly knownHosts?: string
  readonly next?: boolean
  readonly approvePlan?: string
  readonly output: 'table' | 'json' | 'jsonl'
}
