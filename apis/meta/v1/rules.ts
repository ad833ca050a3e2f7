import type { FieldError } from './field-error.ts'
import type { UnstructuredObject } from './types.ts'

/**
 * What neither a schema nor a CEL rule can say about a kind: pure functions, beside its types, named in `apis/rules.ts`.
 * Objects come parsed, pruned and with the schema's defaults applied. Only `default` and `prepare*` may change their argument.
 */
export interface Rules<T = UnstructuredObject> {
  /** What is wrong with a name (a function of names.ts); absent: names are DNS subdomains. */
  nameFaults?(name: string): string[]
  /** Fills defaults that depend on other fields (imagePullPolicy on the image's tag). */
  default?(object: T): void
  /** True when a create may bring a status along (a Node's agent knows it before the Node is there). */
  statusOnCreate?: boolean
  /** Before validation of a create: sets what clients may not choose (status, initial phase). */
  prepareCreate?(object: T): void
  /** Before validation of an update: carries over what this request may not change. `subresource` is empty for the main resource. */
  prepareUpdate?(object: T, old: T, subresource: string): void
  validate?(object: T): FieldError[]
  /** What only a create is asked: what an update may have to leave as it is. */
  validateCreate?(object: T): FieldError[]
  /** Additional checks of an update: immutable fields, illegal transitions. */
  validateUpdate?(object: T, old: T, subresource: string): FieldError[]
  /** True when the change counts as a new generation; absent: anything outside metadata and status. */
  changesGeneration?(object: T, old: T): boolean
  /** Values of field selectors that are not plain paths, or need a default: `{ 'status.phase': 'Pending' }`. */
  fields?(object: T): Record<string, string>
  /** Selectable fields by whose values many clients ask for a few objects each: the cache finds these without a look at the others. */
  indexedFields?: readonly string[]
  /** Of a kind stored as another: its selectable fields, and what they are called there. */
  storedFields?: Readonly<Record<string, string>>
  /** Warnings to send with the answer of a create (no `old`) or of an update of the object itself. */
  warnings?(object: T, old?: T): string[]
  /** Columns of `kubectl get` that no JSONPath can compute; replaces the manifest's printer columns. */
  print?: Printer<T>
  /** Seconds a stored object lives (Events); absent: for ever. */
  ttlSeconds?: number
  /** Milliseconds a write may wait for others to be done together with it: for what is written all the time, and nobody waits for. */
  patienceMs?: number
  /**
   * Graceful deletion: seconds to keep the object marked as deleting so that someone can end what it stands for;
   * 0 or absent removes it at once when it has no finalizers. `requested` is the client's gracePeriodSeconds.
   */
  gracePeriodSeconds?(object: T, requested: number | undefined): number
  /** True when a DELETE is answered with the object as it was, not with a Status. */
  returnsDeleted?: boolean
  /** True when a DELETE that does not say what becomes of dependents leaves them alone. */
  orphansByDefault?: boolean
  /** When a deletion begins that something holds up: shows it in the status. */
  prepareDelete?(object: T): void
  /** True while something other than finalizers keeps a deleted object (a namespace's `spec.finalizers`). */
  blocksRemoval?(object: T): boolean
  /** True when an update without resourceVersion is refused. Custom resources always refuse it. */
  requiresResourceVersion?: boolean
  /** Between versions whose structures differ; absent: only apiVersion changes. Returns a new object of `toApiVersion`. */
  convert?(object: T, toApiVersion: string): T
}

export interface Printer<T = UnstructuredObject> {
  columns: readonly TableColumn[]
  /** One cell a column, after Kubernetes' printers: ages as `5m`, absent as `<none>`. `now` in milliseconds. */
  row(object: T, now: number): (string | number | boolean | null)[]
}

/** @see https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables */
export interface TableColumn {
  name: string
  type: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  format?: string
  description?: string
  priority?: number
}
