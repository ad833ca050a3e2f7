import type { KubeList, KubeObject } from '@keelson/apis/meta/v1/types.ts'
import { type Client, ignoreAbsence, isMethodNotAllowed, isNotFound, type ServedResource } from '@keelson/client'
import type { Findings, Remaining } from './plan.ts'

/** Deletes all objects of some resources in a namespace, several resources at a time, and says what is left. */
export async function drain(
  client: Client,
  namespace: string,
  resources: readonly ServedResource[],
  signal: AbortSignal,
): Promise<Omit<Findings, 'undiscovered'>> {
  const failures: string[] = []
  const remaining: Remaining[] = []
  const waiting = [...resources]
  async function work(): Promise<void> {
    for (let resource = waiting.pop(); resource; resource = waiting.pop()) {
      try {
        const left = await drainOne(client, namespace, resource, signal)
        if (left.count > 0) remaining.push(left)
      } catch (error) {
        failures.push(`${resource.resource}.${resource.group}: ${error instanceof Error ? error.message : error}`)
      }
    }
  }
  await Promise.all(Array.from({ length: parallel }, work))
  signal.throwIfAborted()
  return { failures: failures.sort(), remaining }
}

const parallel = 8
const pageSize = 500

async function drainOne(
  client: Client,
  namespace: string,
  resource: ServedResource,
  signal: AbortSignal,
): Promise<Remaining> {
  const before = await look(client, namespace, resource, signal)
  if (before.count === 0) return before
  await deleteAll(client, namespace, resource, signal)
  return look(client, namespace, resource, signal)
}

async function deleteAll(
  client: Client,
  namespace: string,
  resource: ServedResource,
  signal: AbortSignal,
): Promise<void> {
  const objects = client.metadata(resource).in(namespace)
  const options = { propagationPolicy: 'Background' } as const
  if (resource.verbs.includes('deletecollection')) {
    try {
      return await objects.deleteCollection({ delete: options, signal })
    } catch (error) {
      if (!isMethodNotAllowed(error) && !isNotFound(error)) throw error
    }
  }
  const { items } = await objects.list({ signal })
  for (const { metadata } of items) {
    await objects.delete(metadata.name ?? '', { ...options, signal }).catch(ignoreAbsence)
  }
}

async function look(
  client: Client,
  namespace: string,
  resource: ServedResource,
  signal: AbortSignal,
): Promise<Remaining> {
  const finalizers = new Map<string, number>()
  const list = await client.metadata(resource).in(namespace).list({ limit: pageSize, signal }).catch(asEmpty)
  for (const { metadata } of list.items) {
    for (const name of metadata.finalizers ?? []) finalizers.set(name, (finalizers.get(name) ?? 0) + 1)
  }
  const { remainingItemCount = 0, resourceVersion } = list.metadata
  return { resource, count: list.items.length + remainingItemCount, finalizers, resourceVersion }
}

/** A resource that is served no more has nothing left. */
function asEmpty(error: unknown): Pick<KubeList<KubeObject>, 'items' | 'metadata'> {
  if (!isNotFound(error) && !isMethodNotAllowed(error)) throw error
  return { items: [], metadata: {} }
}
