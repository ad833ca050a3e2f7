import type { UnstructuredObject } from '../../meta/v1/types.ts'
import type { UserInfo } from '../../meta/v1/user-info.ts'

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'

/** One write on its way to the store, as the admission chain sees it. */
export interface AdmissionRequest {
  operation: Operation
  group: string
  version: string
  kind: string
  resource: string
  subresource: string
  /** Empty for cluster scope. */
  namespace: string
  /** May be empty while a generated name is not yet chosen. */
  name: string
  user: UserInfo
  dryRun: boolean
  /** What the client asked for beside the object: CreateOptions, UpdateOptions or DeleteOptions. Made when somebody looks. */
  options?(): Readonly<Record<string, unknown>>
  /** The object to be stored; absent for DELETE. `mutate` may change it in place. */
  object?: UnstructuredObject
  oldObject?: Readonly<UnstructuredObject>
  /**
   * Set by a step of `validate` that took something for this write: gives it back. Called when the write turns out not to be
   * done (somebody was faster), not when it may have been. Must not reject.
   */
  release?(): Promise<void>
  /** Adds a Warning header to the answer. */
  warn(message: string): void
}

/** Changes or refuses writes. Implemented by the area `admission`; both methods refuse with a StatusError. */
export interface Admission {
  /** Returns nothing when it was done at once. */
  mutate(request: AdmissionRequest): Promise<void> | void
  validate(request: AdmissionRequest): Promise<void> | void
}

/** Reads other objects while admitting one: from the watch cache, never from the wire. */
export interface ObjectReader {
  /** @param group empty for the core group @param namespace empty for cluster scope */
  get<T = UnstructuredObject>(group: string, resource: string, namespace: string, name: string): T | undefined
  list<T = UnstructuredObject>(group: string, resource: string, namespace?: string): T[]
  /** Resolves with the object once it exists, or with undefined after `timeoutMs`. */
  waitFor<T = UnstructuredObject>(
    group: string,
    resource: string,
    namespace: string,
    name: string,
    timeoutMs: number,
  ): Promise<T | undefined>
}
