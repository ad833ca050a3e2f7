import type { ListMeta } from '#apis/meta/v1/types.ts'
import { newBadRequest } from '#core/errors/status-error.ts'
import { metadataOf, plainMetadataOf, reviveObject } from '#core/machinery/canonical.ts'
import {
  buildTable,
  type IncludeObject,
  layoutOfColumns,
  layoutOfPrinter,
  type Table,
  type TableLayout,
} from '#core/machinery/table.ts'
import type { ServedVersion } from '#core/registry/registry.ts'
import type { ResourceRequest } from './endpoint.ts'
import type { Representation } from './negotiate.ts'

type MetaVersion = Representation['metaVersion']

const layouts = new WeakMap<ServedVersion, TableLayout>()

/** How a version's objects become rows: by the kind's own printer, or by its printer columns. */
function layoutOf(served: ServedVersion): TableLayout {
  let layout = layouts.get(served)
  if (!layout) {
    const { print } = served.resource.rules
    layout = print ? layoutOfPrinter(print) : layoutOfColumns(served.definition.printerColumns)
    layouts.set(served, layout)
  }
  return layout
}

/**
 * Objects as the rows of a Table, which is what `kubectl get` asks for.
 * @param objects their bytes in the served version
 * @param metadata of the list; absent for a single object, whose resourceVersion it then is
 */
export function tableOf(
  { exchange, served }: ResourceRequest,
  objects: readonly Buffer[],
  metadata: ListMeta | undefined,
  metaVersion: MetaVersion,
): Omit<Table, 'apiVersion'> & { apiVersion: string } {
  const parsed = objects.map(reviveObject)
  const table = buildTable(layoutOf(served), parsed, {
    includeObject: parseIncludeObject(exchange.query.get('includeObject')),
    now: Date.now(),
    metadata: metadata ?? { resourceVersion: parsed[0]?.metadata.resourceVersion },
  })
  return { ...table, apiVersion: `meta.k8s.io/${metaVersion}` }
}

function parseIncludeObject(text: string | null): IncludeObject {
  if (text === null || text === '') return 'Metadata'
  if (text === 'None' || text === 'Metadata' || text === 'Object') return text
  throw newBadRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(text)}: must be 'Metadata', 'Object', 'None', or empty`,
  )
}

const partialHeads: Record<MetaVersion, Buffer> = {
  v1: Buffer.from('{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":'),
  v1beta1: Buffer.from('{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1beta1","metadata":'),
}
const closingBrace = Buffer.from('}')

/** An object without anything but its metadata, cut out of its canonical bytes. */
export function partialMetadata(
  bytes: Buffer,
  { metaVersion, isPlain }: Pick<Representation, 'metaVersion' | 'isPlain'>,
): Buffer {
  if (!isPlain) return Buffer.concat([partialHeads[metaVersion], metadataOf(bytes), closingBrace])
  const { version, rest } = plainMetadataOf(bytes)
  return Buffer.concat([partialHeads[metaVersion], version, rest, closingBrace])
}

/** Whether an object's metadata without managedFields is other than it was. */
export function hasOtherMetadata(before: Buffer, after: Buffer): boolean {
  return !plainMetadataOf(before).rest.equals(plainMetadataOf(after).rest)
}
