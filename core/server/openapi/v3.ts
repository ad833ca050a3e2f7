import type { JsonSchema } from '#core/registry/resource.ts'
import { type Answer, type Operation, type Path, schemasOf } from './operations.ts'
import type { Parameter } from './parameters.ts'
import { metaSchema, type SchemaCatalog } from './schemas.ts'

/**
 * OpenAPI 3.0, one document a group and version.
 * @see https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-v3
 */

const refOf = (name: string) => `#/components/schemas/${name}`

/** The document of some paths with every schema they need, as JSON. */
export function renderV3(paths: readonly Path[], catalog: SchemaCatalog, version: string): string {
  const roots = schemasOf(paths)
  if (paths.some(({ operations }) => operations.some(({ action }) => action === 'list'))) {
    roots.add(metaSchema('WatchEvent'))
  }
  const schemas = catalog.closure(roots).map((name) => `${JSON.stringify(name)}:${schemaText(name, catalog)}`)
  const head = JSON.stringify({ openapi: '3.0.0', info: { title: 'Kubernetes', version } })
  const pathTexts = paths.map((path) => `${JSON.stringify(path.path)}:${renderPath(path)}`)
  return (
    `${head.slice(0, -1)},"paths":{${pathTexts.join()}},` +
    `"components":{"schemas":{${schemas.join()}},"securitySchemes":${securitySchemes}}}`
  )
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

let texts = new WeakMap<JsonSchema, string>()

/** Gives back what is kept of schemas between documents. */
export function forgetRenderedSchemas(): void {
  texts = new WeakMap()
}

/** Schemas do not change, so each is rendered once for all documents. */
function schemaText(name: string, catalog: SchemaCatalog): string {
  const schema = catalog.get(name)!
  let text = texts.get(schema)
  if (text === undefined) {
    text = JSON.stringify(builtinForms.get(name)?.(schema) ?? renderSchema(schema))
    texts.set(schema, text)
  }
  return text
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
