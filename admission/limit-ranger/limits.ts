import { type Amounts, readAmounts } from '#apis/core/v1/amounts.ts'
import { podLimits, podRequests } from '#apis/core/v1/pod-resources.ts'
import type {
  Container,
  LimitRange,
  LimitRangeItem,
  PersistentVolumeClaim,
  Pod,
} from '#apis/core/v1/zz_generated.types.ts'
import { compareQuantities, formatQuantity, type Quantity } from '#apis/meta/v1/quantity.ts'

/** What a LimitRange says of pods and claims. Pure, but for the defaults, which are filled in place. */

const annotation = 'kubernetes.io/limit-ranger'

/** Fills requests and limits that containers do not name, and says so in an annotation. */
export function fillDefaults({ spec }: LimitRange, pod: Pod): void {
  const items = (spec?.limits ?? []).filter(({ type }) => type === 'Container')
  const requests = Object.assign({}, ...items.map((item) => item.defaultRequest))
  const limits = Object.assign({}, ...items.map((item) => item.default))
  const filled = [
    ...(pod.spec?.containers ?? []).flatMap((one) => fillContainer(one, 'container', requests, limits)),
    ...(pod.spec?.initContainers ?? []).flatMap((one) => fillContainer(one, 'init container', requests, limits)),
  ]
  if (filled.length === 0) return
  pod.metadata.annotations = {
    ...pod.metadata.annotations,
    [annotation]: `LimitRanger plugin set: ${filled.join('; ')}`,
  }
}

type Written = Readonly<Record<string, string | number>>

function fillContainer(container: Container, what: string, requests: Written, limits: Written): string[] {
  const { resources = {} } = container
  const lacking = (defaults: Written, given: Written = {}) =>
    Object.keys(defaults)
      .filter((name) => !Object.hasOwn(given, name))
      .sort()
  const newRequests = lacking(requests, resources.requests)
  const newLimits = lacking(limits, resources.limits)
  if (newRequests.length > 0) resources.requests = { ...requests, ...resources.requests } as typeof resources.requests
  if (newLimits.length > 0) resources.limits = { ...limits, ...resources.limits } as typeof resources.limits
  container.resources = resources
  return [
    ...(newRequests.length > 0 ? [`${newRequests.join(', ')} request for ${what} ${container.name}`] : []),
    ...(newLimits.length > 0 ? [`${newLimits.join(', ')} limit for ${what} ${container.name}`] : []),
  ]
}

/** What is wrong with a pod, in Kubernetes' words. */
export function podFaults({ spec }: LimitRange, pod: Pod): string[] {
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])]
  return (spec?.limits ?? []).flatMap((item) => {
    if (item.type === 'Pod') return faultsOf(item, podRequests(pod), podLimits(pod))
    if (item.type !== 'Container') return []
    return containers.flatMap(({ resources }) =>
      faultsOf(item, readAmounts(resources?.requests), readAmounts(resources?.limits)),
    )
  })
}

/** What is wrong with a claim: only what it requests is looked at. */
export function claimFaults({ spec }: LimitRange, claim: PersistentVolumeClaim): string[] {
  const requests = readAmounts(claim.spec?.resources?.requests)
  return (spec?.limits ?? [])
    .filter(({ type }) => type === 'PersistentVolumeClaim')
    .flatMap(({ type, min, max }) => [
      ...each(min, (name, least) => minFault({ type, name, bound: least }, requests, new Map())),
      ...each(max, (name, most) => maxRequestFault({ type, name, bound: most }, requests)),
    ])
}

function faultsOf({ type, min, max, maxLimitRequestRatio }: LimitRangeItem, requests: Amounts, limits: Amounts) {
  return [
    ...each(min, (name, bound) => minFault({ type, name, bound }, requests, limits)),
    ...each(max, (name, bound) => maxFault({ type, name, bound }, requests, limits)),
    ...each(maxLimitRequestRatio, (name, bound) => ratioFault({ type, name, bound }, requests, limits)),
  ]
}

interface Bound {
  type: string
  name: string
  bound: Quantity
}

function each(bounds: LimitRangeItem['min'], judge: (name: string, bound: Quantity) => string | undefined): string[] {
  return [...readAmounts(bounds)].map(([name, bound]) => judge(name, bound)).filter((fault) => fault !== undefined)
}

const isMore = (a: Quantity, b: Quantity) => compareQuantities(a, b) > 0

function minFault({ type, name, bound }: Bound, requests: Amounts, limits: Amounts): string | undefined {
  const [request, limit] = [requests.get(name), limits.get(name)]
  const rule = `minimum ${name} usage per ${type} is ${formatQuantity(bound)}`
  if (!request) return `${rule}.  No request is specified`
  if (isMore(bound, request)) return `${rule}, but request is ${formatQuantity(request)}`
  return limit && isMore(bound, limit) ? `${rule}, but limit is ${formatQuantity(limit)}` : undefined
}

function maxFault({ type, name, bound }: Bound, requests: Amounts, limits: Amounts): string | undefined {
  const [request, limit] = [requests.get(name), limits.get(name)]
  const rule = `maximum ${name} usage per ${type} is ${formatQuantity(bound)}`
  if (!limit) return `${rule}.  No limit is specified`
  if (isMore(limit, bound)) return `${rule}, but limit is ${formatQuantity(limit)}`
  return request && isMore(request, bound) ? `${rule}, but request is ${formatQuantity(request)}` : undefined
}

function maxRequestFault({ type, name, bound }: Bound, requests: Amounts): string | undefined {
  const request = requests.get(name)
  const rule = `maximum ${name} usage per ${type} is ${formatQuantity(bound)}`
  if (!request) return `${rule}.  No request is specified`
  return isMore(request, bound) ? `${rule}, but request is ${formatQuantity(request)}` : undefined
}

function ratioFault({ type, name, bound }: Bound, requests: Amounts, limits: Amounts): string | undefined {
  const [request, limit] = [requests.get(name)?.nano ?? 0n, limits.get(name)?.nano ?? 0n]
  const rule = `${name} max limit to request ratio per ${type} is ${formatQuantity(bound)}`
  if (request === 0n) return `${rule}, but no request is specified or request is 0`
  if (limit === 0n) return `${rule}, but no limit is specified or limit is 0`
  if (limit * nanoPerUnit <= bound.nano * request) return undefined
  return `${rule}, but provided ratio is ${(Number(limit) / Number(request)).toFixed(6)}`
}

const nanoPerUnit = 1_000_000_000n
