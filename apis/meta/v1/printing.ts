import { age } from './duration.ts'
import type { Printer, TableColumn } from './rules.ts'
import type { KubeObject, LabelSelector } from './types.ts'

/** Words for printers: a printer is a list of columns, each of which knows its cell. */

export type Cell = string | number | boolean | null

export interface Column<T> extends TableColumn {
  of(object: T, now: number): Cell
}

export function printer<T extends KubeObject>(...columns: Column<T>[]): Printer<T> {
  return {
    columns: columns.map(({ of: _, ...column }) => column),
    row: (object, now) => columns.map((column) => column.of(object, now)),
  }
}

export function column<T>(name: string, of: Column<T>['of'], more: Partial<TableColumn> = {}): Column<T> {
  return { name, type: 'string', ...more, of }
}

export const integer = <T>(name: string, of: (object: T) => number): Column<T> => column(name, of, { type: 'integer' })

/** Shown by `-o wide` only. */
export const wide = <T>(name: string, of: Column<T>['of']): Column<T> => column(name, of, { priority: 1 })

export const nameColumn: Column<KubeObject> = column('Name', ({ metadata }) => metadata.name ?? '', { format: 'name' })

export const ageColumn: Column<KubeObject> = column('Age', ({ metadata }, now) => age(metadata.creationTimestamp, now))

/** The moment itself, for kinds that are there for good. */
export const createdColumn: Column<KubeObject> = column(
  'Created At',
  ({ metadata }) => metadata.creationTimestamp ?? '<unknown>',
  { type: 'date' },
)

export const orNone = (text: string | undefined): string => text || '<none>'

/** The first of many, and how many more there are. */
export function atMost(max: number, items: readonly string[], none = '<none>', separator = ','): string {
  if (items.length === 0) return none
  const shown = items.slice(0, max).join(separator)
  return items.length > max ? `${shown} + ${items.length - max} more...` : shown
}

/** `a=b,c=d`, sorted. */
export function labelsText(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`)
  return orNone(pairs.sort().join(','))
}

/** A label selector as `kubectl` takes it. */
export function selectorText(selector: LabelSelector | undefined): string {
  const labels = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => ({ key, text: `${key}=${value}` }))
  const expressions = (selector?.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
    const list = [...values].sort().join(',')
    const texts = { In: `${key} in (${list})`, NotIn: `${key} notin (${list})`, Exists: key, DoesNotExist: `!${key}` }
    return { key, text: texts[operator] }
  })
  const sorted = [...labels, ...expressions].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  return orNone(sorted.map(({ text }) => text).join(','))
}
