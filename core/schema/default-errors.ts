import { type FieldError, invalid } from '#apis/meta/v1/field-error.ts'
import type { JsonSchema } from '#core/registry/resource.ts'
import { coercionError, embeddedErrors } from './embedded.ts'
import { cloneJson, equalJson, isObject, type JsonObject, setOwn } from './json.ts'
import { NodeCompiler, type SchemaNode } from './node.ts'
import { Path } from './path.ts'
import { prune } from './prune.ts'
import { append, at, keyed, propertiesOf, type SchemaFault } from './schema-places.ts'
import { validate } from './validate.ts'

/**
 * A default must itself be what the schema asks for, and no more. Defaults of what says what a resource is are judged
 * within that resource; those of a map's values are nowhere looked at, as in Kubernetes.
 * @param schema structural, of a whole resource
 */
export function defaultErrors(schema: JsonSchema, path: string): SchemaFault[] {
  return errorsWithin(schema, path, undefined)
}

/**
 * Within apiVersion, kind or metadata of a resource: puts a value to where it belongs in an otherwise sound one. Undefined
 * elsewhere.
 */
type Wrap = ((value: unknown) => JsonObject) | undefined

const soundResource = (): JsonObject => ({ apiVersion: 'validation/v1', kind: 'Validation', metadata: {} })
const metaFields = ['metadata', 'apiVersion', 'kind']

function errorsWithin(schema: JsonSchema, path: string, outer: Wrap): SchemaFault[] {
  const isEmbedded = schema['x-kubernetes-embedded-resource'] === true
  const wrap = isEmbedded ? undefined : outer
  const errors = schema.default === undefined || schema.default === null ? [] : ownErrors(schema, path, wrap)
  if (isObject(schema.items)) {
    const inner = wrap && ((value: unknown) => wrap([value]))
    append(errors, errorsWithin(schema.items, at(path, 'items'), inner))
  }
  for (const [name, child] of propertiesOf(schema)) {
    const inner = wrapOf(isEmbedded, wrap, name)
    append(errors, errorsWithin(child, keyed(path, 'properties', name), inner))
  }
  return errors
}

function wrapOf(isEmbedded: boolean, wrap: Wrap, name: string): Wrap {
  if (wrap) return (value) => wrap(withField({}, name, value))
  // The whole's own metadata takes no defaults at all.
  return isEmbedded && metaFields.includes(name) ? (value) => withField(soundResource(), name, value) : undefined
}

function withField(object: JsonObject, name: string, value: unknown): JsonObject {
  setOwn(object, name, value)
  return object
}

function ownErrors(schema: JsonSchema, path: string, wrap: Wrap): SchemaFault[] {
  const node = new NodeCompiler({}).node(schema)
  const field = at(path, 'default')
  const value = schema.default
  const found = () => validate(node, value, { custom: true, path: new Path(field) })
  if (wrap) {
    const fault = metadataFault(wrap(cloneJson(value)))
    return fault ? [invalid(field, value, `must result in valid metadata: ${fault}`)] : found()
  }
  const pruned = cloneJson(value)
  prune(openMetadata.node(schema), pruned)
  const unpruned: SchemaFault = { ...invalid(field, value, 'must not have unknown fields'), ratchet: 'unpruned' }
  const misfit = coercionError(node, value, field)
  return [...(equalJson(pruned, value) ? [] : [unpruned]), ...(misfit ? [misfit] : found())]
}

/** What metadata does not know is no fault of a default: it is removed from the objects that get it. */
const openMetadata = new (class extends NodeCompiler {
  override objectMeta(): SchemaNode {
    return this.anything
  }
})({})

/** What is wrong with what a resource says of itself; empty when it is sound. */
function metadataFault(resource: JsonObject): string {
  const misfit = coercionError(anyResource, resource, '')
  const errors = misfit ? [misfit] : embeddedErrors(resource, '', true)
  const lines = errors.map(({ field, message }: FieldError) => `${field}: ${message}`)
  return lines.length > 1 ? `[${lines.join(', ')}]` : (lines[0] ?? '')
}

const anyResource = new NodeCompiler({}).node({ type: 'object', 'x-kubernetes-embedded-resource': true })
