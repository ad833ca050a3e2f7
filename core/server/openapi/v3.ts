import type { JsonSchema } from '#core/registry/resource.ts'
import type { Answer, Operation, Path } from './operations.ts'
import type { Parameter } from './parameters.ts'

/**
 * OpenAPI 3.0, one document a group and version.
 * @see https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-v3
 */

const refOf = (name: string) => `#/components/schemas/${name}`

/** A document is its head, paths, the middle, schemas, and the tail. */
export const v3Head = (version: string) =>
  `${JSON.stringify({ openapi: '3.0.0', info: { title: 'Kubernetes', version } }).slice(0, -1)},"paths":{`
export const v3Middle = '},"components":{"schemas":{'
export const v3Tail = () => `},"securitySchemes":${securitySchemes}}}`

/** Paths as members of an object. */
export function v3Paths(paths: readonly Path[]): string {
  return paths.map((path) => `${JSON.stringify(path.path)}:${renderPath(path)}`).join()
}

/** Schemas as members of an object. */
export function v3Schemas(schemas: Iterable<readonly [name: string, schema: JsonSchema]>): string {
  return Array.from(schemas, ([name, schema]) => `${JSON.stringify(name)}:${schemaText(name, schema)}`).join()
}

const securitySchemes = JSON.stringify({
  BearerToken: { type: 'apiKey', description: 'Bearer Token authentication', name: 'authorization', in: 'header' },
})

function renderPath({ parameters, operations }: Path): string {
  const members = operations.map((operation) => `"${operation.method}":${renderOperation(operation)}`)
  return `{${members.join()}${parametersText(parameters)}}`
}

function renderOperation(operation: Operation): string {
  const { action, answers, body, description, id, kind, parameters, produces, tag } = operation
  const text = JSON.stringify({
    tags: [tag],
    description,
    operationId: id,
    ...(body && {
      requestBody: {
        content: contentOf(body.consumes, { $ref: refOf(body.schema) }),
        ...(body.required && { required: true }),
      },
    }),
    responses: Object.fromEntries(answers.map((answer) => [answer.code, renderAnswer(answer, produces)])),
    ...(action && { 'x-kubernetes-action': action }),
    ...(kind && { 'x-kubernetes-group-version-kind': kind }),
  })
  return `${text.slice(0, -1)}${parametersText(parameters)}}`
}

const parameterTexts = new WeakMap<Parameter, string>()

/** As a further member of an object. Most of a document is the same few parameters, so each is rendered once. */
function parametersText(parameters: readonly Parameter[]): string {
  return parameters.length > 0 ? `,"parameters":[${parameters.map(parameterText).join()}]` : ''
}

function parameterText(parameter: Parameter): string {
  let text = parameterTexts.get(parameter)
  if (text === undefined) {
    const { description, in: where, name, repeated, type } = parameter
    text = JSON.stringify({
      name,
      in: where,
      description,
      ...(where === 'path' && { required: true }),
      schema: repeated ? { type: 'array', items: { type } } : { type },
    })
    parameterTexts.set(parameter, text)
  }
  return text
}

function renderAnswer({ description, schema }: Answer, produces: readonly string[]): object {
  if (!schema) return { description }
  return {
    description,
    content: contentOf(produces, schema === 'string' ? { type: 'string' } : { $ref: refOf(schema) }),
  }
}

function contentOf(types: readonly string[], schema: object): object {
  return Object.fromEntries(types.map((type) => [type, { schema }]))
}

function schemaText(name: string, schema: JsonSchema): string {
  return JSON.stringify(builtinForms.get(name)?.(schema) ?? renderSchema(schema))
}

/** Types that are a number or a string: clients know these two by their form. */
const builtinForms = new Map<string, (schema: JsonSchema) => object>([
  [
    'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
    ({ description }) => ({ description, format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] }),
  ],
  [
    'io.k8s.apimachinery.pkg.api.resource.Quantity',
    ({ description }) => ({ description, oneOf: [{ type: 'string' }, { type: 'number' }] }),
  ],
])

/** Brings references into their final form: beside other keywords a reference must stand in an `allOf`. */
function renderSchema(schema: JsonSchema): object {
  return refers(schema) ? renderReferences(schema) : schema
}

/** Of all that custom resources' schemas say, nothing refers to anything: only what was put around it does. */
function refers(schema: JsonSchema): boolean {
  if (schema.$ref) return true
  for (const name in schema.properties) if (refers(schema.properties[name]!)) return true
  for (const name of ['items', 'additionalProperties', 'not'] as const) {
    const inner = schema[name]
    if (typeof inner === 'object' && refers(inner)) return true
  }
  return junctors.some((name) => schema[name]?.some(refers))
}

const junctors = ['allOf', 'anyOf', 'oneOf'] as const

function renderReferences(schema: JsonSchema): object {
  const { $ref, properties, items, additionalProperties, allOf, anyOf, oneOf, not, ...rest } = schema
  if ($ref) {
    const reference = { $ref: refOf($ref) }
    return Object.keys(rest).length > 0 ? { ...rest, allOf: [reference] } : reference
  }
  return {
    ...rest,
    ...(properties && { properties: mapValues(properties, renderSchema) }),
    ...(items && { items: renderSchema(items) }),
    ...(additionalProperties !== undefined && {
      additionalProperties:
        typeof additionalProperties === 'object' ? renderSchema(additionalProperties) : additionalProperties,
    }),
    ...(allOf && { allOf: allOf.map(renderSchema) }),
    ...(anyOf && { anyOf: anyOf.map(renderSchema) }),
    ...(oneOf && { oneOf: oneOf.map(renderSchema) }),
    ...(not && { not: renderSchema(not) }),
  }
}

/** `Object.fromEntries` defines properties, so a field named `__proto__` stays a field. */
function mapValues(from: Record<string, JsonSchema>, map: (schema: JsonSchema) => object): object {
  return Object.fromEntries(Object.entries(from).map(([key, value]) => [key, map(value)]))
}
