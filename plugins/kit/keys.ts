import type { ObjectMeta } from '@keelson/apis/meta/v1/types.ts'

/** The key of an object in work queues: `namespace/name`, or `name` for cluster scope. */
export function namespacedKey(object: { readonly metadata: Readonly<Pick<ObjectMeta, 'namespace' | 'name'>> }): string {
  const { namespace, name = '' } = object.metadata
  return namespace ? `${namespace}/${name}` : name
}

/** The inverse of `namespacedKey`. The namespace is empty for cluster scope. */
export function splitKey(key: string): { namespace: string; name: string } {
  const slash = key.indexOf('/')
  return slash < 0 ? { namespace: '', name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}
