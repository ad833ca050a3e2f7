import { createHash } from 'node:crypto'
import type { ResourceDefinition } from '#core/registry/resource.ts'

/** An answer that stays the same while the set of definitions does. */
export interface ServedDocument {
  bytes: Buffer
  /** Quoted, as the header wants it. */
  etag: string
}

/** Where the definitions come from: the registry. */
export interface DefinitionSource {
  /** Changes with the set of definitions. */
  readonly generation: number
  definitions(): readonly ResourceDefinition[]
}

export function newDocument(content: object | string | Buffer): ServedDocument {
  const bytes = Buffer.isBuffer(content)
    ? content
    : Buffer.from(typeof content === 'string' ? content : JSON.stringify(content))
  return { bytes, etag: `"${hashOf(bytes)}"` }
}

/** The form Kubernetes gives hashes of documents: SHA-512, upper-case hex. */
export function hashOf(bytes: Buffer): string {
  return createHash('sha512').update(bytes).digest('hex').toUpperCase()
}
