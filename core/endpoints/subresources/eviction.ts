import type { Pod } from '#apis/core/v1/zz_generated.types.ts'
import type { Eviction, PodDisruptionBudget } from '#apis/policy/v1/zz_generated.types.ts'
import { newBadRequest, newInternalError, StatusError } from '#core/errors/status-error.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import { matchesLabels, requirementsOf } from '#core/machinery/label-selector.ts'
import { readBody } from '../body.ts'
import { checkDeleteOptions } from '../delete.ts'
import { type ResourceRequest, requireNamespace, writeContext } from '../endpoint.ts'
import { replyOwn } from '../reply.ts'

/**
 * POST of `pods/NAME/eviction`: deletes the pod unless a PodDisruptionBudget cannot spare it (429, to be tried again).
 * @see https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/
 */
export async function eviction(request: ResourceRequest): Promise<void> {
  requireNamespace(request)
  const { info, served, store, exchange } = request
  const body = await readEviction(request)
  const pod = reviveObject(store.get(served.resource, info).bytes) as unknown as Pod
  const options = body.deleteOptions ?? {}
  if (typeof options !== 'object') throw newBadRequest('deleteOptions must be an object')
  const dryRun = checkDeleteOptions(options, exchange.query.getAll('dryRun'))
  const context = { ...writeContext(request), dryRun }
  const budgets = needsBudget(pod) ? budgetsOf(request, pod) : []
  if (budgets.length > 1)
    throw newInternalError(
      'this pod has more than one PodDisruptionBudget, which the eviction subresource does not support',
    )
  const [budget] = budgets
  if (budget) await spend(request, budget, pod)
  await store.delete(served, info, options, context)
  const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }
  await replyOwn(request, 201, status)
}

async function readEviction({ exchange, info }: ResourceRequest): Promise<Eviction> {
  const body = await readBody(exchange)
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw newBadRequest('the body must be a policy/v1 Eviction')
  }
  const eviction = body as Eviction
  if (eviction.metadata?.name && eviction.metadata.name !== info.name) {
    throw newBadRequest(`name in URL does not match name in Eviction object`)
  }
  return eviction
}

/** Pods that have ended or not begun may always go. */
function needsBudget({ status, metadata }: Pod): boolean {
  return !metadata.deletionTimestamp && !['Succeeded', 'Failed', 'Pending'].includes(status?.phase ?? 'Pending')
}

function budgetsOf({ registry, info }: ResourceRequest, pod: Pod): PodDisruptionBudget[] {
  const { cache } = registry.get('policy', 'poddisruptionbudgets')!
  const { entries } = cache.list(`${info.namespace}/`)
  return entries
    .map((entry) => reviveObject(entry.bytes) as unknown as PodDisruptionBudget)
    .filter(
      ({ spec }) => spec?.selector && matchesLabels(requirementsOf(spec.selector) ?? [], pod.metadata.labels ?? {}),
    )
}

/** Takes one disruption from the budget, in the store, so that no two evictions take the same. */
async function spend(request: ResourceRequest, budget: PodDisruptionBudget, pod: Pod): Promise<void> {
  const { registry, store } = request
  const { name = '', namespace = '' } = budget.metadata
  await store.update(
    registry.find('policy', 'v1', 'poddisruptionbudgets')!,
    { namespace, name },
    'status',
    (current) => {
      const object = reviveObject(current.bytes)
      const { status, metadata } = object as unknown as PodDisruptionBudget
      if (
        !status ||
        (status.disruptionsAllowed ?? 0) < 1 ||
        (status.observedGeneration ?? 0) < (metadata.generation ?? 0)
      ) {
        throw cannotSpare(name, status)
      }
      const disruptedPods = { ...status.disruptedPods, [pod.metadata.name ?? '']: new Date().toISOString() }
      object.status = { ...status, disruptionsAllowed: (status.disruptionsAllowed ?? 0) - 1, disruptedPods }
      return object
    },
    writeContext(request),
  )
}

function cannotSpare(name: string, status: PodDisruptionBudget['status']): StatusError {
  const needed = status?.desiredHealthy ?? 0
  const message = `The disruption budget ${name} needs ${needed} healthy pods and has ${status?.currentHealthy ?? 0} currently`
  return new StatusError({
    reason: 'TooManyRequests',
    code: 429,
    message: "Cannot evict pod as it would violate the pod's disruption budget.",
    details: { causes: [{ reason: 'DisruptionBudget', message }], retryAfterSeconds: 10 },
  })
}
