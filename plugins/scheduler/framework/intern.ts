/** Equal values as one object: pods of one template then share labels and terms, and what is worked out about one holds for all. */

/** Enough for the templates of a large cluster; beyond it sharing starts afresh, which costs time and nothing else. */
const limit = 20_000

/** A function that gives equal JSON values the same result, made once by `make`. */
export function interner<V, R>(make: (value: V) => R): (value: V) => R {
  const known = new Map<string, R>()
  return (value) => {
    const key = JSON.stringify(value)
    const found = known.get(key)
    if (found !== undefined) return found
    if (known.size >= limit) known.clear()
    const made = make(value)
    known.set(key, made)
    return made
  }
}

/** `decide`, asked once for each object. Only for objects that do not change. */
export function remembering<K extends object>(decide: (key: K) => boolean): (key: K) => boolean {
  const answers = new WeakMap<K, boolean>()
  return (key) => {
    const known = answers.get(key)
    if (known !== undefined) return known
    const answer = decide(key)
    answers.set(key, answer)
    return answer
  }
}
