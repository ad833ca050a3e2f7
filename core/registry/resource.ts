import type { Extensions } from '#core/constraints/extensions.ts'
import type { WebhookConversion } from '#core/conversion/webhook-converter.ts'

/**
 * What the server knows of a resource. Built-in kinds (from the manifests in apis/crds) and custom ones (from
 * CustomResourceDefinition objects) become the same ResourceDefinition and are served by the same code.
 */
export interface ResourceDefinition {
  group: string
  /** Plural, lower case: `pods`. */
  resource: string
  singular: string
  kind: string
  listKind: string
  shortNames: readonly string[]
  categories: readonly string[]
  namespaced: boolean
  /** The version objects are stored in. */
  storageVersion: string
  /** In order of preference. */
  versions: readonly VersionDefinition[]
  /** False for resources made by a CustomResourceDefinition. */
  builtin: boolean
  /** True while its CustomResourceDefinition is being deleted: nothing is created any more. */
  terminating?: boolean
  /** Present for what a CRD cannot say. */
  keelson?: KeelsonExtension
  /** What the schema of the storage version says beyond Kubernetes. */
  extensions?: Extensions
  /** How versions become one another; absent: they differ in their names only. */
  conversion?: ConversionDefinition
  /** Differs from that of any definition that says something else; absent: nobody has made one. */
  fingerprint?: string
}

/** How a CustomResourceDefinition wants its versions converted. */
export interface ConversionDefinition {
  webhook?: WebhookConversion
  /** Instead of one: what becomes of fields, as an annotation says it. */
  declarative?: string
}

/** Definitions by their groups. */
export type DefinitionGroups = ReadonlyMap<string, readonly ResourceDefinition[]>

export interface VersionDefinition {
  name: string
  served: boolean
  deprecated?: boolean
  deprecationWarning?: string
  /** Of a custom resource, parsed when it is asked for: keep it only while it is in use. */
  readonly schema: JsonSchema
  subresources: {
    status?: boolean
    scale?: ScaleSubresource
  }
  printerColumns: readonly PrinterColumn[]
  /** JSONPaths such as `.spec.nodeName`; metadata.name and metadata.namespace are always selectable. */
  selectableFields: readonly string[]
}

export interface ScaleSubresource {
  specReplicasPath: string
  statusReplicasPath: string
  labelSelectorPath?: string
}

/** @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#additional-printer-columns */
export interface PrinterColumn {
  name: string
  type: 'integer' | 'number' | 'string' | 'boolean' | 'date'
  format?: string
  description?: string
  /** 0 is shown always, greater only with `-o wide`. */
  priority?: number
  jsonPath: string
}

/** The `x-keelson` block of a manifest. */
export interface KeelsonExtension {
  /** Only `create` exists and nothing is stored (TokenReview, SubjectAccessReview, Binding). The name of its handler in core/endpoints/virtual. */
  virtual?: string
  /** Replaces the standard verbs when present. */
  verbs?: string[]
  subresources?: Record<string, SubresourceDefinition>
  /** Definition name in Kubernetes' OpenAPI: `io.k8s.api.core.v1.Pod`, by version. */
  definitions?: Record<string, string>
  /** Another resource whose objects these are: `events.k8s.io/events` stores in `/events`. */
  storedAs?: { group: string; resource: string }
}

export interface SubresourceDefinition {
  /** Name of the handler in core/endpoints. */
  handler: string
  /** Kind of the body and answer: `autoscaling/v1 Scale`. */
  group?: string
  version?: string
  kind: string
  verbs: string[]
}

/**
 * The part of JSON Schema that CustomResourceDefinitions allow, plus `$ref` to a named type of apis/crds (built-ins only:
 * shared types are compiled once and appear as named definitions in OpenAPI).
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
export interface JsonSchema {
  $ref?: string
  type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'
  format?: string
  title?: string
  description?: string
  default?: unknown
  example?: unknown
  nullable?: boolean
  enum?: unknown[]
  pattern?: string
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  exclusiveMinimum?: boolean
  exclusiveMaximum?: boolean
  multipleOf?: number
  minItems?: number
  maxItems?: number
  uniqueItems?: boolean
  minProperties?: number
  maxProperties?: number
  required?: string[]
  properties?: Record<string, JsonSchema>
  additionalProperties?: boolean | JsonSchema
  items?: JsonSchema
  allOf?: JsonSchema[]
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
  not?: JsonSchema
  externalDocs?: { description?: string; url?: string }
  'x-kubernetes-preserve-unknown-fields'?: boolean
  'x-kubernetes-embedded-resource'?: boolean
  'x-kubernetes-int-or-string'?: boolean
  'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map'
  'x-kubernetes-list-map-keys'?: string[]
  'x-kubernetes-map-type'?: 'atomic' | 'granular'
  'x-kubernetes-patch-strategy'?: string
  'x-kubernetes-patch-merge-key'?: string
  'x-kubernetes-validations'?: ValidationRule[]
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }[]
  'x-kubernetes-unions'?: unknown[]
  /** @see core/constraints/extensions.ts for the shape of these */
  'x-keelson-unique'?: unknown
  'x-keelson-reference'?: unknown
  'x-keelson-index'?: unknown
}

export interface ValidationRule {
  rule: string
  message?: string
  messageExpression?: string
  reason?: string
  fieldPath?: string
  optionalOldSelf?: boolean
}
