import { type FieldError, invalid } from '#apis/meta/v1/field-error.ts'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import {
  unqualifiedFinalizerErrors,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from '#apis/meta/v1/validate-object-meta.ts'
import { isBadRequest, newBadRequest, newInvalid } from '#core/errors/status-error.ts'
import { SchemaCompiler } from '#core/schema/compile.ts'
import { objectMetaSchema } from '#core/schema/object-meta.ts'
import { unknownFieldMessage } from '#core/schema/prune.ts'
import { scaleErrors } from './custom/scale-errors.ts'
import { nextTurn } from './large-objects.ts'
import type { ServedVersion } from './registry.ts'

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict'

export interface DecodeOptions {
  fieldValidation: FieldValidation
  warn(message: string): void
  /** True where the object is what a patch made of another: what is wrong with it is then the patch's fault. */
  isPatched?: boolean
  /** What was found when the body was read; filled in by the reader of the body. */
  bodyFaults?: BodyFaults
  /** How long the body is; filled in by the reader of the body. */
  bodyLength?: number
}

/** What is wrong with the text of a body that can be read all the same. */
export interface BodyFaults {
  /** Paths of the fields that come again. */
  duplicates?: readonly string[]
  /** Keys that come again, in the words of Kubernetes' YAML parser. */
  yaml?: readonly string[]
  /** Complete messages: what is odd about a JSON patch. */
  patch?: readonly string[]
}

const metadataSchema = new SchemaCompiler({}, { builtin: true }).compile({
  type: 'object',
  properties: { metadata: objectMetaSchema },
})

/**
 * Makes an object of the served version out of parsed JSON: the right kind, only known fields, defaults filled in.
 * Changes `value` in place.
 * @throws StatusError BadRequest when it is of another kind or a field has the wrong type
 */
export function decodeObject(value: unknown, served: ServedVersion, options: DecodeOptions): UnstructuredObject {
  try {
    const object = checkKind(value, served)
    for (const walk of walks) walk(object, served, options)
    return object
  } catch (error) {
    throw options.isPatched ? asPatchFault(value, error) : error
  }
}

/** The same of a large object: others have their turn between one walk through it and the next. */
export async function decodeInTurns(
  value: unknown,
  served: ServedVersion,
  options: DecodeOptions,
): Promise<UnstructuredObject> {
  try {
    const object = checkKind(value, served)
    for (const walk of walks) {
      walk(object, served, options)
      await nextTurn()
    }
    return object
  } catch (error) {
    throw options.isPatched ? asPatchFault(value, error) : error
  }
}

/** Of the whole object, so much is shown. */
const maxShownCharacters = 16 * 1024

/** What is wrong with an object that a patch made: the patch, if anything. @param value the object */
export function asPatchFault(value: unknown, error: unknown): unknown {
  if (!isBadRequest(error)) return error
  const shown = JSON.stringify(value)?.slice(0, maxShownCharacters)
  return newInvalid({ group: '', kind: '' }, '', [invalid('patch', shown, (error as Error).message)])
}

/** Each walks through the whole object, and changes it in place; the order counts. */
const walks: readonly ((object: UnstructuredObject, served: ServedVersion, options: DecodeOptions) => void)[] = [
  (object, { schema }) => schema.dropNulls(object),
  checkTypes,
  (object, { schema, resource }) => resource.definition.builtin && schema.normalize(object),
  pruneUnknown,
  checkEmbedded,
  (object, { schema, resource }) => {
    schema.applyDefaults(object)
    resource.rules.default?.(object)
  },
]

/** A custom resource's own fields are judged by its schema, later; the server itself reads its metadata. */
function checkTypes(object: UnstructuredObject, served: ServedVersion): void {
  const { schema, resource } = served
  const { builtin } = resource.definition
  const mismatch = builtin ? schema.typeErrors(object) : metadataSchema.typeErrors({ metadata: object.metadata })
  if (mismatch) throw notHandled(served, mismatch)
}

function checkEmbedded(object: UnstructuredObject, served: ServedVersion): void {
  const misfit = served.resource.definition.builtin ? undefined : served.schema.embeddedMisfit(object)
  if (misfit) throw notHandled(served, `${misfit.field}: ${misfit.message}`)
}

function notHandled({ resource, definition }: ServedVersion, why: string): Error {
  const { kind } = resource.definition
  return newBadRequest(`${kind} in version "${definition.name}" cannot be handled as a ${kind}: ${why}`)
}

function checkKind(value: unknown, served: ServedVersion): UnstructuredObject {
  const { kind } = served.resource.definition
  // As Go reads it, null is an object without fields.
  if (value === null) return checkKind({}, served)
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw newBadRequest(
      `couldn't get version/kind; json parse error: the body must be a JSON object of kind ${kind}, not ${describe(value)}`,
    )
  }
  const object = value as UnstructuredObject
  object.apiVersion ??= served.apiVersion
  object.kind ??= kind
  if (object.kind !== kind || object.apiVersion !== served.apiVersion) throw wrongKind(object, served)
  const { metadata } = object
  if (metadata === undefined || metadata === null) object.metadata = {}
  else if (typeof metadata !== 'object' || Array.isArray(metadata)) {
    throw newBadRequest(
      `${kind} in version "${served.definition.name}" cannot be handled as a ${kind}: metadata must be an object`,
    )
  }
  return object
}

function wrongKind(object: UnstructuredObject, served: ServedVersion): Error {
  const { kind } = served.resource.definition
  if (object.kind === kind) {
    return newBadRequest(
      `the API version in the data (${object.apiVersion}) does not match the expected API version (${served.apiVersion})`,
    )
  }
  return newBadRequest(
    `${object.kind} in version "${versionOf(object.apiVersion)}" cannot be handled as a ${kind}: converting (${object.apiVersion}.${object.kind}) to (${served.apiVersion}.${kind}): unknown conversion`,
  )
}

const versionOf = (apiVersion: string) => String(apiVersion).split('/').pop()

function pruneUnknown(object: UnstructuredObject, served: ServedVersion, options: DecodeOptions): void {
  const unknown: string[] = []
  const collect = options.fieldValidation === 'Ignore' ? undefined : (path: string) => unknown.push(path)
  served.schema.prune(object, collect)
  if (unknown.length === 0 && options.bodyFaults === undefined) return
  const { kind, builtin } = served.resource.definition
  const { yaml = [], ...others } = options.bodyFaults ?? {}
  const faults = strictFaults(unknown, others, builtin)
  if (options.fieldValidation === 'Strict' && yaml.length + faults.length > 0) {
    if (yaml.length > 0) faults.unshift(['yaml: unmarshal errors:', ...yaml].join('\n  '))
    throw newBadRequest(
      `${kind} in version "${served.definition.name}" cannot be handled as a ${kind}: strict decoding error: ${faults.join(', ')}`,
    )
  }
  for (const message of [...yaml, ...faults]) options.warn(message)
}

/**
 * The messages of a strict reading. A built-in kind's decoder knows no fields in what it does not know; a custom resource
 * is read before anyone knows its schema.
 */
function strictFaults(unknown: readonly string[], faults: Omit<BodyFaults, 'yaml'>, builtin: boolean): string[] {
  const { duplicates = [], patch = [] } = faults
  const isKnown = (path: string) =>
    !unknown.some((one) => path === one || path.startsWith(`${one}.`) || path.startsWith(`${one}[`))
  const twice = (builtin ? duplicates.filter(isKnown) : duplicates).map((path) => `duplicate field "${path}"`)
  const extra = unknown.map(unknownFieldMessage)
  return [...patch, ...(builtin ? [...extra, ...twice] : [...twice, ...extra])]
}

function describe(value: unknown): string {
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`
}

/** Whose kinds have finalizers without a domain of their own. */
const freeGroups = ['apiextensions.k8s.io', 'apiregistration.k8s.io']

/**
 * Everything wrong with an object that is about to be stored.
 * @param warn told what rules an object goes on to break that an update left as it was
 * @throws StatusError Invalid naming every bad field
 */
export function validateObject(
  object: UnstructuredObject,
  old: UnstructuredObject | undefined,
  served: ServedVersion,
  subresource: string,
  warn?: (message: string) => void,
): void {
  const { definition, rules } = served.resource
  const errors: FieldError[] = [
    ...(old
      ? validateObjectMetaUpdate(object.metadata, old.metadata)
      : validateObjectMeta(object.metadata, { namespaced: definition.namespaced, nameFaults: rules.nameFaults })),
    ...(definition.builtin && object.metadata.finalizers && !freeGroups.includes(definition.group)
      ? unqualifiedFinalizerErrors(object.metadata)
      : []),
    ...schemaFaults(object, old, served, subresource),
  ]
  const { scale } = served.definition.subresources
  if (scale && !definition.builtin) errors.push(...scaleErrors(object, scale, subresource))
  errors.push(...brokenRules(object, old, served, errors, warn))
  // Rules read fields by their types, so they see only what has the right shape.
  if (errors.length === 0 || definition.builtin) errors.push(...(rules.validate?.(object) ?? []))
  const more = old ? rules.validateUpdate?.(object, old, subresource) : rules.validateCreate?.(object)
  // Of a definition there may be more than a call can take as arguments.
  for (const error of more ?? []) errors.push(error)
  if (errors.length > 0) {
    throw newInvalid({ group: definition.group, kind: definition.kind }, object.metadata.name ?? '', errors)
  }
}

function schemaFaults(
  object: UnstructuredObject,
  old: UnstructuredObject | undefined,
  { schema, resource }: ServedVersion,
  subresource: string,
): FieldError[] {
  const isStatusOnly = subresource === 'status' && old && !resource.definition.builtin
  return isStatusOnly ? schema.validateStatus(object, old) : schema.validate(object, old)
}

/** Faults that leave it open whether rules would find what they expect. */
const hindering: readonly string[] = [
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]
const unjudged =
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation'

/** What the rules of a custom resource's schema say. @param errors those that were found before */
function brokenRules(
  object: UnstructuredObject,
  old: UnstructuredObject | undefined,
  { schema }: ServedVersion,
  errors: readonly FieldError[],
  warn: ((message: string) => void) | undefined,
): FieldError[] {
  if (!schema.rules) return []
  if (errors.some(({ reason }) => hindering.includes(reason))) return [invalid('<nil>', null, unjudged)]
  return schema.judge(object, old, (error) => warn?.(`${error.field}: ${error.message}`))
}
