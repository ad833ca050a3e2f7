import { newBadRequest, StatusError } from '#core/errors/status-error.ts'
import { canonicalText, isObject, type JsonObject, own, setOwn } from '#core/schema/json.ts'
import type { SchemaNode } from '#core/schema/node.ts'

/**
 * Strategic merge patch: as a merge patch, but lists whose schema says so are merged, by key or as sets, and directives
 * say what else to do. Only built-in kinds have the schemas for it.
 * @see https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/
 */

const directive = '$patch'
const retainKeys = '$retainKeys'
const elementOrder = '$setElementOrder/'
const deleteFromList = '$deleteFromPrimitiveList/'

/**
 * Changes `target` in place; when it throws, `target` is of no more use.
 * @param schema of the kind; a field it does not know is merged as a merge patch would
 * @throws StatusError BadRequest or Invalid
 */
export function applyStrategicMergePatch(
  target: unknown,
  patch: unknown,
  schema: { readonly root: SchemaNode },
): unknown {
  if (!isObject(patch)) throw newBadRequest('invalid JSON document')
  return mergeObject(isObject(target) ? target : {}, patch, schema.root)
}

function mergeObject(original: JsonObject, patch: JsonObject, node: SchemaNode | undefined): JsonObject {
  const order = own(patch, directive)
  if (order === 'replace') return withoutDirectives(patch)
  if (order === 'delete') return {}
  if (order !== undefined && order !== 'merge') throw unknownDirective(order, patch)
  retainOnly(original, patch)
  const before = listsToOrder(original, patch)
  for (const key of Object.keys(patch)) {
    if (!isDirective(key)) mergeField(original, key, patch[key], fieldNode(node, key))
  }
  for (const [key, values] of directives(patch, deleteFromList)) removeScalars(original, key, values)
  for (const [key, values] of directives(patch, elementOrder)) {
    setOrder(original, key, values, before.get(key) ?? [], own(patch, key), fieldNode(node, key))
  }
  return original
}

const fieldNode = (node: SchemaNode | undefined, key: string) => node?.property(key) ?? node?.additional

function mergeField(original: JsonObject, key: string, value: unknown, node: SchemaNode | undefined): void {
  if (value === null) {
    delete original[key]
    return
  }
  const current = own(original, key)
  const replaces = node?.patchStrategies.includes('replace') === true
  if (isObject(current) && isObject(value) && !replaces) {
    setOwn(original, key, mergeObject(current, value, node))
  } else if (Array.isArray(current) && Array.isArray(value) && node?.patchStrategies.includes('merge')) {
    setOwn(original, key, mergeList(current, value, node))
  } else {
    setOwn(original, key, clean(value))
  }
}

/** `$retainKeys`: fields it does not name go, and the patch may name no others. */
function retainOnly(original: JsonObject, patch: JsonObject): void {
  const keys = own(patch, retainKeys)
  if (keys === undefined) return
  if (!Array.isArray(keys)) throw newBadRequest('invalid patch format of retainKeys')
  const retained = new Set<unknown>(keys)
  for (const key of Object.keys(patch)) {
    if (patch[key] === null || isDirective(key) || retained.has(key)) continue
    throw newUnprocessable("patch content doesn't match retainKeys list")
  }
  for (const key of Object.keys(original)) {
    if (!retained.has(key)) delete original[key]
  }
}

const isDirective = (key: string) =>
  key === directive || key === retainKeys || key.startsWith(elementOrder) || key.startsWith(deleteFromList)

function* directives(patch: JsonObject, prefix: string): Iterable<[key: string, values: unknown[]]> {
  for (const name of Object.keys(patch)) {
    if (!name.startsWith(prefix)) continue
    const values = patch[name]
    if (!Array.isArray(values))
      throw newBadRequest(
        `invalid patch format of ${prefix === elementOrder ? 'setElementOrder list' : 'primitive list'}`,
      )
    yield [name.slice(prefix.length), values]
  }
}

function removeScalars(original: JsonObject, key: string, values: readonly unknown[]): void {
  const list = own(original, key)
  if (!Array.isArray(list)) return
  const removed = new Set(values)
  setOwn(
    original,
    key,
    list.filter((one) => !removed.has(one)),
  )
}

/** The lists that will be put in order, as they are before the merge. */
function listsToOrder(original: JsonObject, patch: JsonObject): Map<string, readonly unknown[]> {
  const lists = new Map<string, readonly unknown[]>()
  for (const [key] of directives(patch, elementOrder)) {
    const list = own(original, key)
    if (Array.isArray(list)) lists.set(key, [...list])
  }
  return lists
}

function setOrder(
  original: JsonObject,
  key: string,
  order: readonly unknown[],
  before: readonly unknown[],
  patchList: unknown,
  node: SchemaNode | undefined,
): void {
  const idOf = identity(node)
  if (Array.isArray(patchList)) checkOrder(patchList, order, idOf)
  const merged = own(original, key)
  if (Array.isArray(merged)) setOwn(original, key, arrange(merged, order, before, idOf))
}

/** What the patch sends must come in the order that the patch demands. */
function checkOrder(patchList: readonly unknown[], order: readonly unknown[], idOf: Identity): void {
  const ids = order.map(idOf)
  let from = 0
  for (const item of patchList) {
    if (isObject(item) && Object.hasOwn(item, directive)) continue
    const at = ids.indexOf(idOf(item), from)
    if (at === -1) {
      throw newBadRequest(
        `The order in patch list:\n${JSON.stringify(patchList)}\n doesn't match ${elementOrder.slice(0, -1)} list:\n${JSON.stringify(order)}\n`,
      )
    }
    from = at + 1
  }
}

function mergeList(original: unknown[], patch: readonly unknown[], node: SchemaNode): unknown[] {
  if (original.length === 0 && patch.length === 0) return original
  const kind = elementKind([...original, ...patch])
  const idOf = identity(node)
  if (kind !== 'object') {
    const merged = [...new Set([...original, ...patch])]
    return arrange(merged, patch, original, idOf)
  }
  if (!node.patchMergeKey) throw newBadRequest('cannot merge lists without merge key for type slice')
  const { kept, items } = applyItemDirectives(original as JsonObject[], patch as JsonObject[], node)
  const merged = mergeItems(kept, items, node)
  return arrange(merged, items, kept, idOf)
}

function elementKind(items: readonly unknown[]): string {
  const kinds = new Set(items.map((one) => (Array.isArray(one) ? 'array' : one === null ? 'null' : typeof one)))
  if (kinds.has('array')) throw newUnprocessable('lists of lists are not supported')
  if (kinds.size > 1) throw newBadRequest(`list element types are not identical: ${JSON.stringify(items)}`)
  return [...kinds][0]!
}

/** Takes the items that are directives out of the patch and does what they say. */
function applyItemDirectives(
  original: readonly JsonObject[],
  patch: readonly JsonObject[],
  node: SchemaNode,
): { kept: JsonObject[]; items: JsonObject[] } {
  const mergeKey = node.patchMergeKey
  const items = patch.filter((item) => !Object.hasOwn(item, directive))
  const removed = new Set<unknown>()
  let replaces = false
  for (const item of patch) {
    const order = own(item, directive)
    if (order === undefined) continue
    if (order === 'replace') replaces = true
    else if (order === 'delete') removed.add(keyOf(item, mergeKey))
    else if (order === 'merge') throw newBadRequest('merging lists cannot yet be specified in the patch')
    else throw unknownDirective(order, item)
  }
  if (replaces) return { kept: [], items }
  return { kept: original.filter((item) => !removed.has(own(item, mergeKey))), items }
}

function mergeItems(kept: readonly JsonObject[], items: readonly JsonObject[], node: SchemaNode): JsonObject[] {
  const merged = [...kept]
  const places = new Map(merged.map((item, at) => [own(item, node.patchMergeKey), at]).reverse() as [unknown, number][])
  for (const item of items) {
    const key = keyOf(item, node.patchMergeKey)
    const at = places.get(key)
    if (at === undefined) {
      places.set(key, merged.length)
      merged.push(withoutDirectives(item))
    } else {
      merged[at] = mergeObject(merged[at]!, item, node.items)
    }
  }
  return merged
}

function keyOf(item: JsonObject, mergeKey: string): unknown {
  const key = own(item, mergeKey)
  if (key !== undefined) return key
  throw newBadRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${mergeKey}`)
}

type Identity = (item: unknown) => string

const identity =
  (node: SchemaNode | undefined): Identity =>
  (item) =>
    canonicalText(isObject(item) && node?.patchMergeKey ? own(item, node.patchMergeKey) : item)

/**
 * Puts a list in order: what `first` names in the order of `first`, the others in the order of `before`, each of those
 * ahead of the first item it used to precede.
 */
function arrange(
  items: readonly unknown[],
  first: readonly unknown[],
  before: readonly unknown[],
  idOf: Identity,
): unknown[] {
  const rankOfFirst = ranks(first, idOf)
  const rankOfBefore = ranks(before, idOf)
  const rankIn = (rank: ReadonlyMap<string, number>) => (item: unknown) => rank.get(idOf(item)) ?? rank.size
  const [named, others] = partition(items, (item) => rankOfFirst.has(idOf(item)))
  named.sort((a, b) => rankIn(rankOfFirst)(a) - rankIn(rankOfFirst)(b))
  others.sort((a, b) => rankIn(rankOfBefore)(a) - rankIn(rankOfBefore)(b))
  const precedes = (a: unknown, b: unknown) => {
    const [rankA, rankB] = [rankOfBefore.get(idOf(a)), rankOfBefore.get(idOf(b))]
    return rankA !== undefined && rankB !== undefined && rankA < rankB
  }
  return interleave(others, named, precedes)
}

function ranks(items: readonly unknown[], idOf: Identity): Map<string, number> {
  const rank = new Map<string, number>()
  for (const item of items) {
    const id = idOf(item)
    if (!rank.has(id)) rank.set(id, rank.size)
  }
  return rank
}

function partition(items: readonly unknown[], belongs: (item: unknown) => boolean): [unknown[], unknown[]] {
  const inside: unknown[] = []
  const outside: unknown[] = []
  for (const item of items) (belongs(item) ? inside : outside).push(item)
  return [inside, outside]
}

function interleave(
  left: readonly unknown[],
  right: readonly unknown[],
  precedes: (l: unknown, r: unknown) => boolean,
) {
  const all: unknown[] = []
  let at = 0
  for (const item of right) {
    while (at < left.length && precedes(left[at], item)) all.push(left[at++])
    all.push(item)
  }
  return [...all, ...left.slice(at)]
}

/** A value that is taken as a whole: what is a directive in it has nothing to act on. */
function clean(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.filter((item) => !isObject(item) || !Object.hasOwn(item, directive)).map(clean)
  }
  return isObject(value) ? (own(value, directive) === 'delete' ? {} : withoutDirectives(value)) : value
}

function withoutDirectives(value: JsonObject): JsonObject {
  const result: JsonObject = {}
  for (const key of Object.keys(value)) {
    if (!isDirective(key) && value[key] !== null) setOwn(result, key, clean(value[key]))
  }
  return result
}

function unknownDirective(order: unknown, patch: JsonObject): StatusError {
  const shown = typeof order === 'string' ? order : JSON.stringify(order)
  return newBadRequest(`unknown patch type: ${shown} in map: ${JSON.stringify(patch)}`)
}

function newUnprocessable(cause: string): StatusError {
  return new StatusError({
    reason: 'Invalid',
    code: 422,
    message: 'the server rejected our request due to an error in our request',
    details: { causes: [{ reason: 'UnexpectedServerResponse', message: cause }] },
  })
}
