import type { AggregatedResource, Gvk } from '#core/server/discovery/served.ts'
import type { V2Part } from '#core/server/openapi/merge-v2.ts'
import type { V2Operation, V2Parameter, V2Path, V2Schema } from '#core/server/openapi/v2.ts'

/**
 * What aggregated API servers say of themselves, read with care: a malformed part is left out and never spoils the
 * documents of this server. Pure.
 */

type Json = Record<string, unknown>

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const texts = (value: unknown): string[] => (Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [])
const objects = (value: unknown): Json[] => (Array.isArray(value) ? value.filter(isObject) : [])
const entriesOf = (value: unknown): [string, Json][] =>
  isObject(value) ? Object.entries(value).filter((entry): entry is [string, Json] => isObject(entry[1])) : []

/** @param list an APIResourceList @returns its resources as aggregated discovery has them */
export function resourcesOf(list: unknown, group: string, version: string): AggregatedResource[] {
  const all = objects(isObject(list) && list.resources)
  const kindOf = (one: Json): Gvk => ({
    group: text(one.group) || group,
    version: text(one.version) || version,
    kind: text(one.kind),
  })
  const parts = Map.groupBy(
    all.filter(({ name }) => text(name).includes('/')),
    ({ name }) => text(name).slice(0, text(name).indexOf('/')),
  )
  return all
    .filter(({ name }) => text(name) !== '' && !text(name).includes('/'))
    .map((one) => {
      const name = text(one.name)
      const [shortNames, categories, subresources] = [texts(one.shortNames), texts(one.categories), parts.get(name)]
      return {
        resource: name,
        responseKind: kindOf(one),
        scope: one.namespaced === true ? 'Namespaced' : 'Cluster',
        singularResource: text(one.singularName),
        verbs: texts(one.verbs),
        ...(shortNames.length > 0 && { shortNames }),
        ...(categories.length > 0 && { categories }),
        ...(subresources && {
          subresources: subresources.map((part) => ({
            subresource: text(part.name).slice(name.length + 1),
            responseKind: kindOf(part),
            verbs: texts(part.verbs),
          })),
        }),
      }
    })
}

/**
 * Where the document of one group version is, by an index of OpenAPI 3.0.
 * @returns the address without what comes before its query, such as `/openapi/v3/apis/acme.dev/v1?hash=...`; undefined when there is none
 */
export function v3UrlOf(index: unknown, name: string): string | undefined {
  const paths = isObject(index) && isObject(index.paths) ? index.paths : {}
  const entry = Object.hasOwn(paths, name) ? paths[name] : undefined
  const url = isObject(entry) ? text(entry.serverRelativeURL) : ''
  if (!url.startsWith('/')) return undefined
  const query = url.indexOf('?')
  // Clients ask this server, which knows the documents by their names.
  return `/openapi/v3/${name}${query < 0 ? '' : url.slice(query)}`
}

const methods = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options'] as const

/** What a document in OpenAPI 2.0 says about the paths below `prefix`. */
export function v2PartOf(document: unknown, prefix: string): V2Part {
  if (!isObject(document)) return { paths: {}, definitions: {} }
  const shared = new Map(entriesOf(document.parameters))
  const paths = entriesOf(document.paths)
    .filter(([path]) => path === prefix || path.startsWith(`${prefix}/`))
    .map(([path, item]) => [path, pathOf(item, shared)])
  const definitions = entriesOf(document.definitions).map(([name, schema]) => [name, schemaOf(schema)])
  return { paths: Object.fromEntries(paths), definitions: Object.fromEntries(definitions) }
}

function pathOf(item: Json, shared: ReadonlyMap<string, Json>): V2Path {
  const found = methods.flatMap((method) => {
    const operation = item[method]
    return isObject(operation) ? [[method, operationOf(operation, shared)] as const] : []
  })
  return { ...Object.fromEntries(found), parameters: parametersOf(item.parameters, shared) }
}

function operationOf(operation: Json, shared: ReadonlyMap<string, Json>): V2Operation {
  const responses = entriesOf(operation.responses).map(([code, { description, schema }]) => [
    code,
    { description: text(description), ...(isObject(schema) && { schema: schemaOf(schema) }) },
  ])
  const action = text(operation['x-kubernetes-action'])
  const kind = operation['x-kubernetes-group-version-kind']
  return {
    tags: texts(operation.tags),
    description: text(operation.description),
    operationId: text(operation.operationId),
    produces: texts(operation.produces),
    consumes: texts(operation.consumes),
    parameters: parametersOf(operation.parameters, shared),
    responses: Object.fromEntries(responses),
    schemes: texts(operation.schemes),
    ...(action && { 'x-kubernetes-action': action }),
    ...(isObject(kind) && {
      'x-kubernetes-group-version-kind': {
        group: text(kind.group),
        version: text(kind.version),
        kind: text(kind.kind),
      },
    }),
  }
}

const sharedPrefix = '#/parameters/'

/** Parameters that are named once for the whole document are written out, as this server's are. */
function parametersOf(list: unknown, shared: ReadonlyMap<string, Json>): V2Parameter[] {
  return objects(list).flatMap((one): V2Parameter[] => {
    const parameter = text(one.$ref).startsWith(sharedPrefix)
      ? shared.get(text(one.$ref).slice(sharedPrefix.length))
      : one
    if (!parameter) return []
    const name = text(parameter.name)
    const isRequired = parameter.required === true && { required: true as const }
    if (parameter.in === 'body' && isObject(parameter.schema)) {
      return [{ name, in: 'body', ...isRequired, schema: schemaOf(parameter.schema) }]
    }
    if (parameter.in !== 'path' && parameter.in !== 'query') return []
    const items = isObject(parameter.items) && { items: { type: text(parameter.items.type) } }
    const isUnique = parameter.uniqueItems === true && { uniqueItems: true as const }
    const common = { name, description: text(parameter.description), type: text(parameter.type) }
    return [{ ...common, in: parameter.in, ...isRequired, ...items, ...isUnique }]
  })
}

function schemaOf(schema: Json): V2Schema {
  const { $ref, additionalProperties, description, format, items, properties, required, type } = schema
  const extensions = Object.entries(schema).filter(([key]) => key.startsWith('x-'))
  return {
    ...Object.fromEntries(extensions),
    ...(text($ref) && { $ref: text($ref) }),
    ...(text(description) && { description: text(description) }),
    ...(text(format) && { format: text(format) }),
    ...(text(type) && { type: text(type) }),
    ...(Array.isArray(required) && { required: texts(required) }),
    ...(isObject(items) && { items: schemaOf(items) }),
    ...(isObject(properties) && {
      properties: Object.fromEntries(entriesOf(properties).map(([name, child]) => [name, schemaOf(child)])),
    }),
    ...(isObject(additionalProperties)
      ? { additionalProperties: schemaOf(additionalProperties) }
      : typeof additionalProperties === 'boolean' && { additionalProperties }),
  }
}
