import type { JsonSchema } from '#core/registry/resource.ts'
import { setOwn } from '#core/schema/json.ts'
import type { Gvk } from '../discovery/served.ts'
import type { Method, Operation, Path } from './operations.ts'
import type { Parameter } from './parameters.ts'

/**
 * OpenAPI 2.0, one document for everything: what kubectl before 1.27 validates and explains with.
 * Its schemas are poorer: kubectl takes them literally, so what they cannot say (a number or a string, null, fields nobody
 * knows) is said as "anything".
 */
export interface V2Document {
  swagger: '2.0'
  info: { title: string; version: string }
  paths: Record<string, V2Path>
  definitions: Record<string, V2Schema>
  securityDefinitions: Record<string, { description: string; type: 'apiKey'; name: string; in: 'header' }>
  security: Record<string, string[]>[]
}

export type V2Path = Partial<Record<Method, V2Operation>> & { parameters?: readonly V2Parameter[] }

export interface V2Operation {
  tags: string[]
  description: string
  operationId: string
  produces: readonly string[]
  consumes: readonly string[]
  parameters?: readonly V2Parameter[]
  responses: Record<string, { description: string; schema?: V2Schema }>
  schemes: string[]
  'x-kubernetes-action'?: string
  'x-kubernetes-group-version-kind'?: Gvk
}

export type V2Parameter =
  | { name: string; in: 'body'; required?: true; schema: V2Schema }
  | {
      name: string
      in: 'path' | 'query'
      description: string
      required?: true
      type: string
      items?: { type: string }
      uniqueItems?: true
    }

export interface V2Schema {
  $ref?: string
  description?: string
  type?: string
  format?: string
  required?: readonly string[]
  properties?: Record<string, V2Schema>
  items?: V2Schema
  additionalProperties?: boolean | V2Schema
  [extension: `x-${string}`]: unknown
}

/** All of a document but its paths and definitions. */
export function v2Frame(version: string): Omit<V2Document, 'paths' | 'definitions'> {
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version },
    securityDefinitions: {
      BearerToken: { description: 'Bearer Token authentication', type: 'apiKey', name: 'authorization', in: 'header' },
    },
    security: [{ BearerToken: [] }],
  }
}

export function v2Paths(paths: readonly Path[]): V2Document['paths'] {
  return Object.fromEntries(paths.map((path) => [path.path, renderPath(path)]))
}

export function v2Definitions(
  schemas: Iterable<readonly [name: string, schema: JsonSchema]>,
): V2Document['definitions'] {
  return Object.fromEntries(Array.from(schemas, ([name, schema]) => [name, renderNamed(name, schema)]))
}

const refOf = (name: string): V2Schema => ({ $ref: `#/definitions/${name}` })

function renderPath({ parameters, operations }: Path): V2Path {
  return {
    ...Object.fromEntries(operations.map((operation) => [operation.method, renderOperation(operation)])),
    ...(parameters.length > 0 && { parameters: parameters.map(renderParameter) }),
  }
}

function renderOperation(operation: Operation): V2Operation {
  const { action, answers, body, description, id, kind, produces, tag } = operation
  const parameters = operation.parameters.map(renderParameter)
  if (body) {
    const { required, schema } = body
    parameters.unshift({ name: 'body', in: 'body', ...(required && { required }), schema: refOf(schema) })
  }
  return {
    tags: [tag],
    description,
    operationId: id,
    produces,
    consumes: body?.consumes ?? ['*/*'],
    ...(parameters.length > 0 && { parameters }),
    responses: Object.fromEntries(
      answers.map(({ code, description, schema }) => [
        code,
        { description, ...(schema && { schema: schema === 'string' ? { type: 'string' } : refOf(schema) }) },
      ]),
    ),
    schemes: ['https'],
    ...(action && { 'x-kubernetes-action': action }),
    ...(kind && { 'x-kubernetes-group-version-kind': kind }),
  }
}

const renderedParameters = new WeakMap<Parameter, V2Parameter>()

function renderParameter(parameter: Parameter): V2Parameter {
  const known = renderedParameters.get(parameter)
  if (known) return known
  const { description, in: where, name, repeated, type } = parameter
  const rendered: V2Parameter = {
    name,
    in: where,
    description,
    ...(where === 'path' && { required: true as const }),
    ...(repeated ? { type: 'array', items: { type } } : { type, uniqueItems: true as const }),
  }
  renderedParameters.set(parameter, rendered)
  return rendered
}

/** Types that are a number or a string are strings of a format here. */
const builtinForms = new Map<string, V2Schema>([
  ['io.k8s.apimachinery.pkg.util.intstr.IntOrString', { type: 'string', format: 'int-or-string' }],
  ['io.k8s.apimachinery.pkg.api.resource.Quantity', { type: 'string' }],
])

function renderNamed(name: string, schema: JsonSchema): V2Schema {
  const form = builtinForms.get(name)
  return form ? { ...(schema.description && { description: schema.description }), ...form } : renderSchema(schema)
}

/** Of every schema of every definition, so nothing is made on the way. */
function renderSchema(schema: JsonSchema): V2Schema {
  const { $ref, additionalProperties, description, format, items, properties, required, type } = schema
  const rendered: V2Schema = $ref ? refOf($ref) : {}
  if (description) rendered.description = description
  for (const key in schema) {
    if (key.startsWith('x-')) rendered[key as `x-${string}`] = schema[key as keyof JsonSchema]
  }
  if ($ref || schema.nullable || schema['x-kubernetes-int-or-string']) return rendered
  if (type) rendered.type = type
  if (schema['x-kubernetes-preserve-unknown-fields']) return rendered
  if (format) rendered.format = format
  if (required) rendered.required = required
  if (properties) rendered.properties = renderProperties(properties)
  if (items) rendered.items = renderSchema(items)
  if (typeof additionalProperties === 'object') rendered.additionalProperties = renderSchema(additionalProperties)
  else if (additionalProperties !== undefined) rendered.additionalProperties = additionalProperties
  return rendered
}

function renderProperties(properties: Readonly<Record<string, JsonSchema>>): Record<string, V2Schema> {
  const rendered: Record<string, V2Schema> = {}
  for (const name in properties) setOwn(rendered, name, renderSchema(properties[name]!))
  return rendered
}
