/** Flags that `apply` and `resume` share. */
export interface RunOptions {
  readonly kubeconfig?: string
  readonly context?: string
  readonly stateDir?: string
  readonly identity?: string
  readonly knownHosts?: string
  readonly next?: boolean
  readonly approvePlan?: string
  /** Approvals file (rolling-migration 10.3). */
  readonly approvals?: string
  readonly allowedSigners?: string
  readonly requireSignature?: boolean
  /** A run whose process is dead and whose directory is lost: its lock is taken once it has been silent for long enough. */
  readonly takeOver?: string
  /** Append the outcome to the page of the CI job. */
  readonly summary?: true
  readonly output: 'table' | 'json' | 'jsonl'
}
