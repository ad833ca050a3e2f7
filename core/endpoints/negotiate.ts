import { newNotAcceptable } from '#core/errors/status-error.ts'
import type { ServedVersion } from '#core/registry/registry.ts'
import type { Exchange } from '#core/server/exchange.ts'
import { hasProtobuf, protobufType } from './protobuf-codec.ts'

export type Format = 'json' | 'yaml' | 'protobuf'

/** How the client wants an answer: the encoding, and the object itself or another shape of it. */
export interface Representation {
  format: Format
  /** Absent: the object itself. */
  as?: 'Table' | 'PartialObjectMetadata'
  /** Version of meta.k8s.io that `as` is of. */
  metaVersion: 'v1' | 'v1beta1'
  /**
   * Of PartialObjectMetadata: without managedFields, and a watch says nothing of changes that do not show. What follows all
   * objects of a cluster, and asks how they are related, is spared most events.
   */
  isPlain?: true
}

/**
 * What an endpoint can answer with: `objects` of its resource, in any shape; a `watch` of them; or only `own` kinds that
 * always have a protobuf form, whatever the resource is (a Status, a Scale, a review), and no other shape.
 */
export type Offer = 'objects' | 'watch' | 'own'

const plainJson: Representation = { format: 'json', metaVersion: 'v1' }
const mediaTypes: Record<Format, string> = {
  json: 'application/json',
  yaml: 'application/yaml',
  protobuf: protobufType,
}
const accepted = Object.values(mediaTypes)
const acceptedStreams = [mediaTypes.json, mediaTypes.protobuf].map((type) => `${type};stream=watch`)

/** The media type of an answer in a format. */
export const mediaTypeOf = (format: Format): string => mediaTypes[format]

/**
 * Picks what the client likes best among the things in Accept that this server can answer with.
 * @throws StatusError NotAcceptable
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#alternate-representations-of-resources
 */
export function negotiate(
  { exchange, served }: { exchange: Exchange; served: ServedVersion },
  offer: Offer = 'objects',
): Representation {
  const accept = exchange.header('accept')
  if (!accept || accept === 'application/json' || accept === '*/*') return plainJson
  for (const clause of clausesOf(accept)) {
    const found = representationOf(clause)
    if (found && isOffered(found, offer, served)) return found
  }
  throw newNotAcceptable(offer === 'watch' ? acceptedStreams : accepted)
}

/** The encoding of what has one shape, such as a failure, and is never refused: JSON where the client asks for none of ours. */
export function negotiateEncoding(exchange: Exchange): Format {
  const accept = exchange.header('accept')
  if (!accept || accept === 'application/json') return 'json'
  for (const clause of clausesOf(accept)) {
    const found = representationOf(clause)
    if (found && !found.as) return found.format
  }
  return 'json'
}

function isOffered({ format, as }: Representation, offer: Offer, served: ServedVersion): boolean {
  if (offer === 'own') return !as
  if (offer === 'watch' && format === 'yaml') return false
  if (format !== 'protobuf' || as === 'PartialObjectMetadata') return true
  // Tables have no protobuf form, nor have the objects of custom resources.
  return !as && hasProtobuf(served)
}

/** The clauses of Accept, best first: those of equal weight in their order, wildcards last. */
function clausesOf(accept: string): string[] {
  const clauses = accept.split(',')
  if (clauses.length === 1 || !/;\s*q\s*=|\*/.test(accept)) return clauses
  const rank = (clause: string) => {
    const [, quality] = /;\s*q\s*=\s*([\d.]+)/.exec(clause) ?? []
    const wildcards = clause.trimStart().startsWith('*/') ? 2 : clause.includes('/*') ? 1 : 0
    return (quality === undefined ? 1 : Number(quality)) * 10 - wildcards
  }
  return clauses.toSorted((a, b) => rank(b) - rank(a))
}

function representationOf(clause: string): Representation | undefined {
  const [type, ...rest] = clause.split(';').map((part) => part.trim())
  const format = formatOf(type!.toLowerCase())
  if (!format) return undefined
  const parameters = new Map(rest.map((part) => splitParameter(part)))
  const stream = parameters.get('stream')
  if (stream && (stream !== 'watch' || format === 'yaml')) return undefined
  const as = parameters.get('as')
  if (as === undefined) return format === 'json' ? plainJson : { format, metaVersion: 'v1' }
  const metaVersion = parameters.get('v')
  if (isPlainMetadata(format, as, parameters)) {
    return { format, as: 'PartialObjectMetadata', metaVersion: 'v1', isPlain: true }
  }
  if (parameters.get('g') !== 'meta.k8s.io' || (metaVersion !== 'v1' && metaVersion !== 'v1beta1')) return undefined
  if (as === 'Table') return { format, as, metaVersion }
  if (isMetadata(as)) {
    return { format, as: 'PartialObjectMetadata', metaVersion }
  }
  return undefined
}

const isMetadata = (as: string) => as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList'

/** A shape of Keelson's own: who asks for it names Kubernetes' behind it, for servers that do not know it. */
function isPlainMetadata(format: Format, as: string, parameters: ReadonlyMap<string, string>): boolean {
  return (
    format === 'json' && isMetadata(as) && parameters.get('g') === 'meta.keelson.dev' && parameters.get('v') === 'v1'
  )
}

function formatOf(type: string): Format | undefined {
  if (type === 'application/json' || type === '*/*' || type === 'application/*') return 'json'
  if (type === 'application/yaml' || type === 'text/yaml') return 'yaml'
  return type === protobufType ? 'protobuf' : undefined
}

function splitParameter(part: string): [string, string] {
  const at = part.indexOf('=')
  return at < 0 ? [part, ''] : [part.slice(0, at).trim(), part.slice(at + 1).trim()]
}
