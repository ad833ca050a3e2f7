import type { CaseContext } from './context.ts'

/** One thing that holds of every conformant cluster, checked from outside through its API. */
export interface ConformanceCase {
  /** `area: what holds`, unique; the area is a word of its own for `--focus`. */
  name: string
  /** What asks for it: the name of an official conformance test or several, or the address of the documentation. */
  stands: string | readonly string[]
  /** What the cluster or this machine must have; otherwise the case is skipped, with the reason. */
  needs?: readonly Need[]
  /** The minor version of the first kubectl that can do it; older ones skip it. Absent: any. */
  kubectlSince?: number
  /** Milliseconds it may take; default 30 s, with pods 120 s. */
  timeoutMs?: number
  /** Throws when it does not hold. */
  run(t: CaseContext): Promise<void>
}

/**
 * `kubectl`: the binary. `pods`: a node that is ready, real or simulated. `containers`: a node that runs real programs.
 * `impersonation`: the caller may act as others. `neighbour`: the API server is on this machine, and reaches what listens here.
 * `migrations`: the API server serves StorageVersionMigrations, which not every cluster does.
 * `keelson`: the API server is Keelson, for what it offers beyond Kubernetes.
 */
export const needs = ['kubectl', 'pods', 'containers', 'impersonation', 'neighbour', 'migrations', 'keelson'] as const
export type Need = (typeof needs)[number]

export function defineCase(definition: ConformanceCase): ConformanceCase {
  return definition
}
