import { newNotAcceptable } from '#core/errors/status-error.ts'
import type { Exchange } from '#core/server/exchange.ts'

/** How the client wants an answer: the encoding, and the object itself or another shape of it. */
export interface Representation {
  format: 'json' | 'yaml'
  /** Absent: the object itself. */
  as?: 'Table' | 'PartialObjectMetadata'
  /** Version of meta.k8s.io that `as` is of. */
  metaVersion: 'v1' | 'v1beta1'
}

const plainJson: Representation = { format: 'json', metaVersion: 'v1' }
const accepted = ['application/json', 'application/yaml'] as const

/**
 * Picks the first thing in Accept that this server can answer with.
 * @param hasShapes false where there is no Table of the answer and no metadata by itself
 * @throws StatusError NotAcceptable
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#alternate-representations-of-resources
 */
export function negotiate(exchange: Exchange, hasShapes = true): Representation {
  const accept = exchange.header('accept')
  if (!accept || accept === 'application/json' || accept === '*/*') return plainJson
  for (const clause of accept.split(',')) {
    const found = representationOf(clause)
    if (found && (hasShapes || !found.as)) return found
  }
  throw newNotAcceptable(accepted)
}

function representationOf(clause: string): Representation | undefined {
  const [type, ...rest] = clause.split(';').map((part) => part.trim())
  const format = formatOf(type!.toLowerCase())
  if (!format) return undefined
  const parameters = new Map(rest.map((part) => splitParameter(part)))
  const as = parameters.get('as')
  if (as === undefined) return format === 'json' ? plainJson : { format, metaVersion: 'v1' }
  const metaVersion = parameters.get('v')
  if (parameters.get('g') !== 'meta.k8s.io' || (metaVersion !== 'v1' && metaVersion !== 'v1beta1')) return undefined
  if (as === 'Table') return { format, as, metaVersion }
  if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') {
    return { format, as: 'PartialObjectMetadata', metaVersion }
  }
  return undefined
}

function formatOf(type: string): Representation['format'] | undefined {
  if (type === 'application/json' || type === '*/*' || type === 'application/*') return 'json'
  if (type === 'application/yaml' || type === 'text/yaml') return 'yaml'
  return undefined
}

function splitParameter(part: string): [string, string] {
  const at = part.indexOf('=')
  return at < 0 ? [part, ''] : [part.slice(0, at).trim(), part.slice(at + 1).trim()]
}
