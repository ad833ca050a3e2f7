import { type FieldError, forbidden, invalid, required, tooLong } from './field-error.ts'
import {
  annotationKeyFaults,
  byteLength,
  dnsLabelFaults,
  dnsSubdomainFaults,
  labelKeyFaults,
  labelValueFaults,
} from './names.ts'
import type { ObjectMeta, OwnerReference } from './types.ts'

/**
 * The rules of metadata that hold for every kind. `meta` has passed its schema: fields have the right JSON types.
 * @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/
 */

export const maxAnnotationBytes = 256 * 1024

export interface ObjectMetaRules {
  namespaced: boolean
  /** The grammar of the kind's names; absent: a DNS subdomain. */
  nameFaults?: (name: string) => string[]
}

/** The faults of metadata on create, once a name has been generated. */
export function validateObjectMeta(meta: ObjectMeta, rules: ObjectMetaRules, path = 'metadata'): FieldError[] {
  return [...nameErrors(meta, rules, path), ...namespaceErrors(meta, rules, path), ...commonErrors(meta, path)]
}

/** The faults of replacing `old` by `meta`, beyond those the kind itself knows. */
export function validateObjectMetaUpdate(meta: ObjectMeta, old: ObjectMeta, path = 'metadata'): FieldError[] {
  const errors = old.deletionTimestamp ? newFinalizerErrors(meta, old, path) : []
  if (!meta.resourceVersion) {
    errors.push(invalid(`${path}.resourceVersion`, meta.resourceVersion ?? '', 'must be specified for an update'))
  }
  if ((meta.generation ?? 0) < (old.generation ?? 0)) {
    errors.push(invalid(`${path}.generation`, meta.generation ?? 0, 'must not be decremented'))
  }
  for (const field of immutable) {
    if ((meta[field] ?? '') !== (old[field] ?? '')) {
      errors.push(invalid(`${path}.${field}`, meta[field], 'field is immutable'))
    }
  }
  return [...errors, ...commonErrors(meta, path)]
}

const immutable = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const

function nameErrors(meta: ObjectMeta, rules: ObjectMetaRules, path: string): FieldError[] {
  const faultsOf = rules.nameFaults ?? dnsSubdomainFaults
  const { name, generateName } = meta
  const errors = generateName
    ? faultsOf(maskTrailingDash(generateName)).map((fault) => invalid(`${path}.generateName`, generateName, fault))
    : []
  if (!name) return [...errors, required(`${path}.name`, 'name or generateName is required')]
  return [...errors, ...faultsOf(name).map((fault) => invalid(`${path}.name`, name, fault))]
}

/** A prefix may end in `-`, because something follows it. */
const maskTrailingDash = (prefix: string) =>
  prefix.length > 1 && prefix.endsWith('-') ? `${prefix.slice(0, -1)}a` : prefix

function namespaceErrors({ namespace }: ObjectMeta, { namespaced }: ObjectMetaRules, path: string): FieldError[] {
  const field = `${path}.namespace`
  if (!namespaced) return namespace ? [forbidden(field, 'not allowed on this type')] : []
  if (!namespace) return [required(field)]
  return dnsLabelFaults(namespace).map((fault) => invalid(field, namespace, fault))
}

function commonErrors(meta: ObjectMeta, path: string): FieldError[] {
  const errors: FieldError[] = []
  if ((meta.generation ?? 0) < 0) {
    errors.push(invalid(`${path}.generation`, meta.generation, 'must be greater than or equal to 0'))
  }
  if (meta.labels) errors.push(...validateLabels(meta.labels, `${path}.labels`))
  if (meta.annotations) errors.push(...validateAnnotations(meta.annotations, `${path}.annotations`))
  if (meta.ownerReferences) errors.push(...ownerErrors(meta.ownerReferences, `${path}.ownerReferences`))
  if (meta.finalizers) errors.push(...finalizerErrors(meta.finalizers, `${path}.finalizers`))
  return errors
}

/** Also for the labels of pod templates and of selectors. */
export function validateLabels(labels: Readonly<Record<string, string>>, path: string): FieldError[] {
  return Object.entries(labels).flatMap(([key, value]) => [
    ...labelKeyFaults(key).map((fault) => invalid(path, key, fault)),
    ...labelValueFaults(value).map((fault) => invalid(path, value, fault)),
  ])
}

export function validateAnnotations(annotations: Readonly<Record<string, string>>, path: string): FieldError[] {
  const errors: FieldError[] = []
  let bytes = 0
  for (const [key, value] of Object.entries(annotations)) {
    bytes += byteLength(key) + byteLength(value)
    errors.push(...annotationKeyFaults(key).map((fault) => invalid(path, key, fault)))
  }
  if (bytes > maxAnnotationBytes) errors.push(tooLong(path, maxAnnotationBytes))
  return errors
}

function ownerErrors(owners: readonly OwnerReference[], path: string): FieldError[] {
  const errors = owners.flatMap((owner) => oneOwnerErrors(owner, path))
  const [first, ...more] = owners.filter((owner) => owner.controller).map((owner) => `${owner.kind}/${owner.name}`)
  for (const other of more) {
    const detail = `Only one reference can have Controller set to true. Found "true" in references for ${first} and ${other}`
    errors.push(invalid(path, owners, detail))
  }
  return errors
}

function oneOwnerErrors(owner: OwnerReference, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (!owner.apiVersion || owner.apiVersion.endsWith('/')) {
    errors.push(invalid(`${path}.apiVersion`, owner.apiVersion ?? '', 'version must not be empty'))
  }
  for (const field of ['kind', 'name', 'uid'] as const) {
    if (!owner[field]) errors.push(invalid(`${path}.${field}`, owner[field] ?? '', 'must not be empty'))
  }
  // An Event expires by itself: what it owned would vanish with it.
  if (owner.apiVersion === 'v1' && owner.kind === 'Event') {
    errors.push(invalid(path, owner, '/v1, Kind=Event is disallowed from being an owner'))
  }
  return errors
}

function finalizerErrors(finalizers: readonly string[], path: string): FieldError[] {
  const errors = finalizers.flatMap((one) => labelKeyFaults(one).map((fault) => invalid(path, one, fault)))
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    errors.push(invalid(path, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'))
  }
  return errors
}

const standardFinalizers = ['kubernetes', 'orphan', 'foregroundDeletion']

/** What Kubernetes asks of the finalizers of its own kinds beyond `validateObjectMeta`: that they say whose they are. */
export function unqualifiedFinalizerErrors({ finalizers }: ObjectMeta, path = 'metadata'): FieldError[] {
  return (finalizers ?? []).flatMap((one, at) =>
    one.includes('/') || standardFinalizers.includes(one)
      ? []
      : [
          invalid(
            `${path}.finalizers[${at}]`,
            one,
            'name is neither a standard finalizer name nor is it fully qualified',
          ),
        ],
  )
}

function newFinalizerErrors(meta: ObjectMeta, old: ObjectMeta, path: string): FieldError[] {
  const known = new Set(old.finalizers)
  const added = (meta.finalizers ?? []).filter((one) => !known.has(one)).sort()
  if (added.length === 0) return []
  const list = `[]string{${added.map((one) => JSON.stringify(one)).join(', ')}}`
  const detail = `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`
  return [forbidden(`${path}.finalizers`, detail)]
}
