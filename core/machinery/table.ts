import { age } from '#apis/meta/v1/duration.ts'
import type { Printer, TableColumn } from '#apis/meta/v1/rules.ts'
import type { ListMeta, ObjectMeta, UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { PrinterColumn } from '#core/registry/resource.ts'
import { compileJsonPath, type JsonPath, JsonPathError } from './json-path.ts'

/**
 * Tables: what `kubectl get` shows, computed by the server.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
 */
export type Cell = string | number | boolean | null

export type IncludeObject = 'None' | 'Metadata' | 'Object'

export interface TableRow {
  cells: Cell[]
  object: UnstructuredObject | PartialObjectMetadata | null
}

export interface Table {
  kind: 'Table'
  apiVersion: 'meta.k8s.io/v1'
  metadata: ListMeta
  columnDefinitions: Required<TableColumn>[]
  rows: TableRow[]
}

export interface PartialObjectMetadata {
  kind: 'PartialObjectMetadata'
  apiVersion: 'meta.k8s.io/v1'
  metadata: ObjectMeta
}

/** How the objects of a kind become rows. */
export interface TableLayout {
  readonly columns: Required<TableColumn>[]
  /** @param now milliseconds since 1970, for ages */
  cells(object: UnstructuredObject, now: number): Cell[]
}

export const nameDescription = 'The name of the object, unique in its namespace.'
export const creationDescription = 'When the object was created, by the clock of the server.'

const nameColumn: TableColumn = { name: 'Name', type: 'string', format: 'name', description: nameDescription }
const ageColumn: PrinterColumn = {
  name: 'Age',
  type: 'date',
  description: creationDescription,
  jsonPath: '.metadata.creationTimestamp',
}

/** The layout of a kind's own printer. */
export function layoutOfPrinter(printer: Printer): TableLayout {
  return { columns: printer.columns.map(completed), cells: (object, now) => printer.row(object, now) }
}

/**
 * The layout of printer columns: the name, then each column; the age when there are none. A column whose path is none
 * ends the row: nobody knows what it and those behind it were to show.
 */
export function layoutOfColumns(columns: readonly PrinterColumn[]): TableLayout {
  const shown = columns.length > 0 ? columns : [ageColumn]
  const readers: { column: PrinterColumn; read: JsonPath }[] = []
  for (const column of shown) {
    const read = pathOf(column)
    if (!read) break
    readers.push({ column, read })
  }
  return {
    columns: [completed(nameColumn), ...readers.map(({ column }) => definitionOf(column))],
    cells: (object, now) => [
      object.metadata.name ?? '',
      ...readers.map(({ column, read }) => cellOf(column.type, read, object, now)),
    ],
  }
}

function pathOf({ jsonPath }: PrinterColumn): JsonPath | undefined {
  try {
    return compileJsonPath(jsonPath)
  } catch (error) {
    if (error instanceof JsonPathError) return undefined
    throw error
  }
}

export interface TableOptions {
  includeObject: IncludeObject
  /** Milliseconds since 1970. */
  now: number
  metadata?: ListMeta
}

export function buildTable(layout: TableLayout, objects: readonly UnstructuredObject[], options: TableOptions): Table {
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: options.metadata ?? {},
    columnDefinitions: layout.columns,
    rows: objects.map((object) => tableRow(layout, object, options)),
  }
}

export function tableRow(
  layout: TableLayout,
  object: UnstructuredObject,
  { includeObject, now }: Omit<TableOptions, 'metadata'>,
): TableRow {
  return { cells: layout.cells(object, now), object: included(object, includeObject) }
}

function included(object: UnstructuredObject, include: IncludeObject): TableRow['object'] {
  if (include === 'None') return null
  return include === 'Object' ? object : partialMetadataOf(object)
}

/** The object as a client that only wants metadata gets it. */
export function partialMetadataOf({ metadata }: { metadata: ObjectMeta }): PartialObjectMetadata {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata }
}

function definitionOf(column: PrinterColumn): Required<TableColumn> {
  const { name, type, format, priority, jsonPath } = column
  const description = column.description || `Custom resource definition column (in JSONPath format): ${jsonPath}`
  return completed({ name, type, description, ...(format && { format }), ...(priority && { priority }) })
}

const completed = ({
  name,
  type,
  format = '',
  description = '',
  priority = 0,
}: TableColumn): Required<TableColumn> => ({
  name,
  type,
  format,
  description,
  priority,
})

function cellOf(type: PrinterColumn['type'], read: JsonPath, object: UnstructuredObject, now: number): Cell {
  const [value] = read(object)
  if (value === undefined || value === null) return null
  switch (type) {
    case 'string':
      return typeof value === 'string' ? value : JSON.stringify(value)
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null
    case 'number':
      return typeof value === 'number' ? value : null
    case 'boolean':
      return typeof value === 'boolean' ? value : null
    case 'date':
      return typeof value === 'string' ? age(value, now) : null
  }
}
