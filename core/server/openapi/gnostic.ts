import { ProtobufWriter } from './protobuf-writer.ts'
import type { V2Document, V2Operation, V2Parameter, V2Path, V2Schema } from './v2.ts'

/**
 * OpenAPI 2.0 as the protocol buffer `openapi.v2.Document`, the only form in which kubectl asks for it. Of a document in
 * parts, the encoded parts in a row are the encoded whole: messages that come again add to what came before.
 * @see https://github.com/google/gnostic/blob/main/openapiv2/OpenAPIv2.proto for messages and field numbers
 */
export function encodeGnostic(document: Partial<V2Document>): Buffer {
  const writer = new ProtobufWriter(initialBytes)
  new GnosticEncoder(writer).document(document)
  return writer.finish()
}

const initialBytes = 64 * 1024

const operationFields = { get: 2, put: 3, post: 4, delete: 5, options: 6, head: 7, patch: 8 } as const

class GnosticEncoder {
  readonly #to: ProtobufWriter

  constructor(to: ProtobufWriter) {
    this.#to = to
  }

  document({ definitions, info, paths, security = [], securityDefinitions, swagger }: Partial<V2Document>): void {
    const to = this.#to
    to.string(1, swagger)
    if (info) {
      to.message(2, () => {
        to.string(1, info.title)
        to.string(2, info.version)
      })
    }
    if (paths) to.message(8, () => this.#named(2, paths, (path) => this.#path(path)))
    if (definitions) to.message(9, () => this.#named(1, definitions, (schema) => this.#schema(schema)))
    for (const requirement of security) {
      to.message(12, () => this.#named(1, requirement, (scopes) => to.strings(1, scopes)))
    }
    if (securityDefinitions) {
      to.message(13, () =>
        this.#named(1, securityDefinitions, (definition) =>
          to.message(2, () => {
            to.string(1, definition.type)
            to.string(2, definition.name)
            to.string(3, definition.in)
            to.string(4, definition.description)
          }),
        ),
      )
    }
  }

  /** A map: a message of name and value for each entry. */
  #named<T>(field: number, entries: Readonly<Record<string, T>>, value: (of: T) => void): void {
    const to = this.#to
    for (const [name, of] of Object.entries(entries)) {
      to.message(field, () => {
        to.string(1, name)
        to.message(2, () => value(of))
      })
    }
  }

  #path(path: V2Path): void {
    for (const [method, field] of Object.entries(operationFields)) {
      const operation = path[method as keyof typeof operationFields]
      if (operation) this.#to.message(field, () => this.#operation(operation))
    }
    this.#parameters(9, path.parameters)
  }

  #operation(operation: V2Operation): void {
    const to = this.#to
    to.strings(1, operation.tags)
    to.string(3, operation.description)
    to.string(5, operation.operationId)
    to.strings(6, operation.produces)
    to.strings(7, operation.consumes)
    this.#parameters(8, operation.parameters)
    to.message(9, () =>
      this.#named(1, operation.responses, ({ description, schema }) =>
        to.message(1, () => {
          to.string(1, description)
          if (schema) to.message(2, () => to.message(1, () => this.#schema(schema)))
        }),
      ),
    )
    to.strings(10, operation.schemes)
    this.#extensions(13, operation)
  }

  #parameters(field: number, parameters: readonly V2Parameter[] = []): void {
    const to = this.#to
    for (const parameter of parameters) {
      to.message(field, () =>
        to.message(1, () => {
          if (parameter.in === 'body') to.message(1, () => this.#bodyParameter(parameter))
          else to.message(2, () => to.raw(encodePlainParameter(parameter)))
        }),
      )
    }
  }

  #bodyParameter(parameter: BodyParameter): void {
    const to = this.#to
    to.string(2, parameter.name)
    to.string(3, parameter.in)
    to.bool(4, parameter.required)
    to.message(5, () => to.message(1, () => this.#schema(parameter.schema)))
  }

  #schema(schema: V2Schema): void {
    const to = this.#to
    const { additionalProperties, items, properties, type } = schema
    to.string(1, schema.$ref)
    to.string(2, schema.format)
    to.string(4, schema.description)
    to.strings(19, schema.required)
    if (typeof additionalProperties === 'object') {
      to.message(21, () => to.message(1, () => this.#schema(additionalProperties)))
    } else if (additionalProperties !== undefined) to.message(21, () => to.bool(2, additionalProperties))
    if (type) to.message(22, () => to.string(1, type))
    if (items) to.message(23, () => to.message(1, () => this.#schema(items)))
    if (properties) to.message(25, () => this.#named(1, properties, (property) => this.#schema(property)))
    this.#extensions(31, schema)
  }

  /** Extensions are YAML, of which JSON is a part. */
  #extensions(field: number, of: V2Operation | V2Schema): void {
    const to = this.#to
    for (const name in of) {
      if (!isExtension(name)) continue
      to.message(field, () => {
        to.string(1, name)
        to.message(2, () => to.string(2, JSON.stringify((of as V2Schema)[name])))
      })
    }
  }
}

const isExtension = (name: string): name is `x-${string}` => name.startsWith('x-')

type BodyParameter = Extract<V2Parameter, { in: 'body' }>
type PlainParameter = Exclude<V2Parameter, BodyParameter>

const plainParameters = new WeakMap<PlainParameter, Buffer>()

/** Most of a document is the same few parameters, so each is encoded once. */
function encodePlainParameter(parameter: PlainParameter): Buffer {
  const known = plainParameters.get(parameter)
  if (known) return known
  const to = new ProtobufWriter(512)
  const isQuery = parameter.in === 'query'
  to.message(isQuery ? 3 : 4, () => {
    to.bool(1, parameter.required)
    to.string(2, parameter.in)
    to.string(3, parameter.description)
    to.string(4, parameter.name)
    to.string(isQuery ? 6 : 5, parameter.type)
    if (parameter.items) to.message(isQuery ? 8 : 7, () => to.string(1, parameter.items?.type))
    to.bool(isQuery ? 20 : 19, parameter.uniqueItems)
  })
  const bytes = to.finish()
  plainParameters.set(parameter, bytes)
  return bytes
}
