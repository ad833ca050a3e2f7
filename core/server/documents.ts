import type { Registry, SchemaTypes } from '#core/registry/registry.ts'
import type { PathParts } from './paths.ts'

/** Discovery and OpenAPI. */
export function documentEndpoint(_registry: Registry, _types: SchemaTypes): PathParts['documents'] {
  return () => false
}
