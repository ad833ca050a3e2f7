import type { FakeObject } from './fake-store.ts'

/** True when the object satisfies the selectors of a list or watch, of which the fake knows `=`, `!=`, `key` and `!key`. */
export function selects(query: { labelSelector?: string; fieldSelector?: string }, object: FakeObject): boolean {
  const labels = new Map(Object.entries(object.metadata.labels ?? {}))
  const label = (key: string) => labels.get(key)
  const field = (path: string) => String(valueAt(object, path) ?? '')
  return meetsAll(query.labelSelector, label) && meetsAll(query.fieldSelector, field)
}

function meetsAll(selector: string | undefined, read: (key: string) => string | undefined): boolean {
  return (selector ?? '')
    .split(',')
    .filter((term) => term !== '')
    .every((term) => meets(term, read))
}

function meets(term: string, read: (key: string) => string | undefined): boolean {
  const [, key = '', operator, wanted] = /^(!?[^!=]+)(?:(!=|==|=)(.*))?$/.exec(term) ?? []
  if (operator === '!=') return read(key) !== wanted
  if (operator) return read(key) === wanted
  return key.startsWith('!') ? read(key.slice(1)) === undefined : read(key) !== undefined
}

function valueAt(object: unknown, path: string): unknown {
  let at = object
  for (const step of path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined
    at = (at as Record<string, unknown>)[step]
  }
  return at
}
