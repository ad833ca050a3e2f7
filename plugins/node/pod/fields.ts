import type { ObjectFieldSelector, ResourceFieldSelector } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { DeepReadonly } from '@keelson/client'
import type { PodObject } from './model.ts'
import { rolesOf } from './model.ts'
import { quantityValue } from './quantity.ts'

/** What the downward API tells a container of its own pod. Pure. */

/** What is known of a pod only once its sandbox is there, and of its node. */
export interface PodFacts {
  podIPs: readonly string[]
  hostIPs: readonly string[]
  /** What a container without a limit may use. */
  allocatable: Readonly<Record<string, string>>
}

const subscript = /^metadata\.(annotations|labels)\['(.*)'\]$/

/** @throws when the pod has no such field */
export function fieldValue(pod: PodObject, { fieldPath }: DeepReadonly<ObjectFieldSelector>, facts: PodFacts): string {
  const keyed = subscript.exec(fieldPath)
  if (keyed) return valueAt(pod.metadata[keyed[1] as 'annotations' | 'labels'], keyed[2] ?? '')
  switch (fieldPath) {
    case 'metadata.name':
      return pod.metadata.name ?? ''
    case 'metadata.namespace':
      return pod.metadata.namespace ?? ''
    case 'metadata.uid':
      return pod.metadata.uid ?? ''
    case 'metadata.labels':
      return formatMap(pod.metadata.labels)
    case 'metadata.annotations':
      return formatMap(pod.metadata.annotations)
    case 'spec.nodeName':
      return pod.spec.nodeName ?? ''
    case 'spec.serviceAccountName':
      return pod.spec.serviceAccountName ?? ''
    case 'status.hostIP':
      return facts.hostIPs[0] ?? ''
    case 'status.hostIPs':
      return facts.hostIPs.join(',')
    case 'status.podIP':
      return facts.podIPs[0] ?? ''
    case 'status.podIPs':
      return facts.podIPs.join(',')
  }
  throw new Error(`unsupported fieldPath: ${fieldPath}`)
}

function valueAt(map: Readonly<Record<string, string>> | undefined, key: string): string {
  return map && Object.hasOwn(map, key) ? (map[key] ?? '') : ''
}

/** One `key="value"` a line, sorted. */
function formatMap(map: Readonly<Record<string, string>> = {}): string {
  const keys = Object.keys(map).sort()
  return keys.map((key) => `${key}=${JSON.stringify(map[key])}`).join('\n')
}

/**
 * A request or limit, in units of the divisor, rounded up. A limit that is not set is what the node can give.
 * @param containerName whose, when the selector names none
 */
export function resourceValue(
  pod: PodObject,
  selector: DeepReadonly<ResourceFieldSelector>,
  facts: PodFacts,
  containerName = '',
): string {
  const name = selector.containerName || containerName
  const container = rolesOf(pod).find(({ spec }) => spec.name === name)?.spec
  if (!container) throw new Error(`container ${name} not found`)
  const [list = '', ...rest] = selector.resource.split('.')
  const resource = rest.join('.')
  if (list !== 'limits' && list !== 'requests') throw new Error(`unsupported container resource : ${selector.resource}`)
  const set = container.resources?.[list]?.[resource]
  const amount = set ?? (list === 'limits' ? facts.allocatable[resource] : undefined)
  const divisor = quantityValue(selector.divisor) || 1
  return String(Math.ceil(quantityValue(amount) / divisor - 1e-9))
}
