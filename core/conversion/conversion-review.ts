import type { FieldError } from '#apis/meta/v1/field-error.ts'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { validateAnnotations, validateLabels } from '#apis/meta/v1/validate-object-meta.ts'
import { isObject, type JsonObject } from '#core/schema/json.ts'

/**
 * What is said to conversion webhooks, and what they may answer. Pure.
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/#webhook-request-and-response
 */
export const reviewVersions = ['v1', 'v1beta1'] as const
export type ReviewVersion = (typeof reviewVersions)[number]

/** The first version of ConversionReview that both sides know. */
export function reviewVersionOf(accepted: readonly string[]): ReviewVersion | undefined {
  return accepted.find((one): one is ReviewVersion => reviewVersions.includes(one as ReviewVersion))
}

const group = 'apiextensions.k8s.io'

export function conversionReview(
  version: ReviewVersion,
  uid: string,
  desiredAPIVersion: string,
  objects: readonly UnstructuredObject[],
): object {
  return { kind: 'ConversionReview', apiVersion: `${group}/${version}`, request: { uid, desiredAPIVersion, objects } }
}

/**
 * The objects in an answer.
 * @throws Error saying what is wrong with it, behind `conversion webhook for <kind> failed: `
 */
export function convertedObjects(answer: unknown, version: ReviewVersion, uid: string): readonly unknown[] {
  const review = isObject(answer) ? answer : {}
  // The older version has never been looked at so closely.
  if (version === 'v1') checkKind(review)
  const { response } = review
  if (!isObject(response)) throw new Error('no response provided')
  if (version === 'v1' && response.uid !== uid) {
    throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`)
  }
  const result = isObject(response.result) ? response.result : {}
  if (result.status !== 'Success') {
    const { message, status = '' } = result
    throw new Error(message ? String(message) : `response.result.status was '${status}', not 'Success'`)
  }
  return Array.isArray(response.convertedObjects) ? response.convertedObjects : []
}

function checkKind({ kind = '', apiVersion = '' }: JsonObject): void {
  const expected = formatKind(`${group}/v1`, 'ConversionReview')
  const got = formatKind(String(apiVersion), String(kind))
  if (got !== expected) throw new Error(`expected webhook response of ${expected}, got ${got}`)
}

/** `example.com/v1, Kind=Widget` */
export function formatKind(apiVersion: string, kind: string): string {
  return `${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${kind}`
}

/**
 * What a webhook made of an object, with the metadata that only the server writes.
 * @param place `object at index 0` or the like
 * @throws Error saying what is wrong with it, behind `conversion webhook for <kind> returned `
 */
export function checkConverted(
  original: UnstructuredObject,
  converted: unknown,
  apiVersion: string,
  place: { object: string; metadata: string; at: string },
): UnstructuredObject {
  const fail = (reason: string) => new Error(`${place.object}: ${reason}`)
  if (!isObject(converted)) throw fail(`invalid type, expected=Unstructured, got=${typeName(converted)}`)
  const expected = (what: string, want: string, got: unknown) =>
    new Error(`${place.object}${place.at}: invalid ${what} (expected ${want}, received ${String(got ?? '')})`)
  if (converted.apiVersion !== apiVersion) throw expected('groupVersion', apiVersion, converted.apiVersion)
  if (converted.kind !== original.kind) throw expected('kind', original.kind, converted.kind)
  const metadata = isObject(converted.metadata) ? converted.metadata : {}
  for (const [field, name] of identity) {
    const [before, after] = [original.metadata[field] ?? '', metadata[field] ?? '']
    if (before !== after) throw fail(`must have the same ${name}: ${before} != ${String(after)}`)
  }
  const of = (reason: string) => new Error(`${place.metadata}: ${reason}`)
  if (converted.metadata === undefined) throw of('missing metadata in converted object')
  if (!isObject(converted.metadata))
    throw of(`invalid metadata of type ${typeName(converted.metadata)} in converted object`)
  return { ...converted, metadata: restored(original, converted.metadata, of) } as UnstructuredObject
}

const identity = [
  ['name', 'name'],
  ['namespace', 'namespace'],
  ['uid', 'UID'],
] as const

/** The metadata of the original, with the labels and annotations that the webhook gives. */
function restored(
  { metadata }: UnstructuredObject,
  converted: JsonObject,
  fail: (reason: string) => Error,
): UnstructuredObject['metadata'] {
  const { labels: _labels, annotations: _annotations, ...kept } = metadata
  const labels = textMap(converted, 'labels', fail)
  const annotations = textMap(converted, 'annotations', fail)
  const errors: FieldError[] = [
    ...(labels ? validateLabels(labels, 'metadata.labels') : []),
    ...(annotations ? validateAnnotations(annotations, 'metadata.annotation') : []),
  ]
  if (errors.length > 0) throw fail(aggregate(errors))
  return { ...kept, ...(labels && { labels }), ...(annotations && { annotations }) }
}

function textMap(
  metadata: JsonObject,
  field: 'labels' | 'annotations',
  fail: (reason: string) => Error,
): Record<string, string> | undefined {
  const value = metadata[field]
  if (value === undefined || value === null) return undefined
  if (!isObject(value)) throw fail(`invalid metadata.${field} of type ${typeName(value)} in converted object`)
  for (const [key, text] of Object.entries(value)) {
    if (typeof text === 'string') continue
    throw fail(`metadata.${field}[${key}] must be a string, but is ${typeName(text)} in converted object`)
  }
  return value as Record<string, string>
}

function aggregate(errors: readonly FieldError[]): string {
  const lines = errors.map(({ field, message }) => `${field}: ${message}`)
  return lines.length === 1 ? lines[0]! : `[${lines.join(', ')}]`
}

/** As Go names what JSON was decoded to. */
function typeName(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return '[]interface {}'
  if (typeof value === 'object') return 'map[string]interface {}'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64'
  return typeof value === 'boolean' ? 'bool' : 'string'
}
