import type { JsonSchema } from '#core/registry/resource.ts'
import { encodeGnostic } from './gnostic.ts'
import type { V2Part } from './merge-v2.ts'
import type { Path } from './operations.ts'
import { v2Definitions, v2Frame, v2Paths } from './v2.ts'
import { v3Head, v3Middle, v3Paths, v3Schemas, v3Tail } from './v3.ts'

export type NamedSchema = readonly [name: string, schema: JsonSchema]
type Text = string | Buffer

/** How documents are written: a head, paths, the middle, schemas, and a tail. Parts within paths and schemas come in any order. */
export interface Form {
  name: 'v3' | 'v2' | 'v2Protobuf'
  head: Text
  middle: Text
  tail: Text
  /** Between two parts of paths, and of schemas. */
  separator: string
  paths(paths: readonly Path[]): Text
  schemas(schemas: Iterable<NamedSchema>): Text
}

/** A form of OpenAPI 2.0. */
export interface V2Form extends Form {
  /** What others have written. */
  part(part: V2Part): { paths: Text; schemas: Text }
}

/** Each of the ways in which a server of this version describes itself. */
export function formsOf(version: string): { v3: Form; v2: V2Form; v2Protobuf: V2Form } {
  const frame = v2Frame(version)
  return {
    v3: {
      ...{ name: 'v3', separator: ',', paths: v3Paths, schemas: v3Schemas },
      ...{ head: v3Head(version), middle: v3Middle, tail: v3Tail() },
    },
    v2: {
      ...{ name: 'v2', separator: ',' },
      ...{ head: `${JSON.stringify(frame).slice(0, -1)},"paths":{`, middle: '},"definitions":{', tail: '}}' },
      paths: (paths) => v2Members(v2Paths(paths)),
      schemas: (schemas) => v2Members(v2Definitions(schemas)),
      part: ({ paths, definitions }) => ({ paths: v2Members(paths), schemas: v2Members(definitions) }),
    },
    v2Protobuf: {
      ...{ name: 'v2Protobuf', separator: '', head: encodeGnostic(frame), middle: '', tail: '' },
      paths: (paths) => encodeGnostic({ paths: v2Paths(paths) }),
      schemas: (schemas) => encodeGnostic({ definitions: v2Definitions(schemas) }),
      part: ({ paths, definitions }) => ({ paths: encodeGnostic({ paths }), schemas: encodeGnostic({ definitions }) }),
    },
  }
}

/** The text of an object's members. */
const v2Members = (of: object) => JSON.stringify(of).slice(1, -1)
