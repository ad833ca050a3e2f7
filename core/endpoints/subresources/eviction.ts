import type { Pod } from '#apis/core/v1/zz_generated.types.ts'
import { rfc3339 } from '#apis/meta/v1/time.ts'
import type { DeleteOptions, UnstructuredObject } from '#apis/meta/v1/types.ts'
import { needsBudget, planEviction } from '#apis/policy/v1/eviction.ts'
import type { Eviction, PodDisruptionBudget } from '#apis/policy/v1/zz_generated.types.ts'
import { isConflict, newBadRequest, newForbidden, StatusError } from '#core/errors/status-error.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import { matchesLabels, requirementsOf } from '#core/machinery/label-selector.ts'
import type { WriteContext } from '#core/registry/resource-store.ts'
import { readBody } from '../body.ts'
import { checkDeleteOptions } from '../delete.ts'
import { type ResourceRequest, requireNamespace, untracked, writeContext } from '../endpoint.ts'
import { replyOwn } from '../reply.ts'
import { type BodyKind, checkBody } from './typed-body.ts'

/**
 * POST of `pods/NAME/eviction`: deletes the pod unless a PodDisruptionBudget cannot spare it (429, to be tried again).
 * @see https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/
 */
export async function eviction(request: ResourceRequest): Promise<void> {
  requireNamespace(request)
  const { info, served, store, exchange } = request
  const body = { ...(await readEviction(request)), apiVersion: 'policy/v1', kind: 'Eviction' }
  const options = body.deleteOptions ?? {}
  const dryRun = checkDeleteOptions(options, exchange.query.getAll('dryRun'))
  const context = { ...writeContext(request), dryRun, isAdmitted: true }
  await store.admit('CREATE', served, info, 'eviction', body as unknown as UnstructuredObject, context)
  const pod = reviveObject(store.get(served.resource, info).bytes) as unknown as Pod
  const [budget, another] = needsBudget(pod) ? budgetsOf(request, pod) : []
  if (another) throw newTwoBudgets()
  const isSpared = budget !== undefined && (await spend(request, budget, pod, context)) === 'spare'
  if (isSpared) await removeUnhealthy(request, pod, budget.metadata.name ?? '', options, context)
  else await store.delete(served, info, options, context)
  const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }
  await replyOwn(request, 201, status)
}

/** Deletes a pod that counts for nothing, as long as it has not become healthy meanwhile. */
async function removeUnhealthy(
  { served, store, info }: ResourceRequest,
  { metadata }: Pod,
  budget: string,
  options: DeleteOptions,
  context: WriteContext,
): Promise<void> {
  const { resourceVersion } = metadata
  const isClients = options.preconditions?.resourceVersion !== undefined
  const preconditions = { ...options.preconditions, ...(!isClients && { resourceVersion }) }
  try {
    await store.delete(served, info, { ...options, preconditions }, context)
  } catch (error) {
    if (isClients || !isConflict(error)) throw error
    throw newLater(`The disruption budget ${budget} is still being processed by the server.`, 10)
  }
}

const evictionKind: BodyKind = {
  kind: 'Eviction',
  apiVersions: ['policy/v1', 'policy/v1beta1'],
  definition: 'io.k8s.api.policy.v1.Eviction',
}

async function readEviction(request: ResourceRequest): Promise<Eviction> {
  const { exchange, info } = request
  const body = checkBody<Eviction>(await readBody(exchange), request, evictionKind)
  if (body.metadata?.name !== info.name) throw newBadRequest('name in URL does not match name in Eviction object')
  return body
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
async function spend(
  { registry, store }: ResourceRequest,
  { metadata: { name = '', namespace = '' } }: PodDisruptionBudget,
  pod: Pod,
  context: WriteContext,
): Promise<'spend' | 'spare'> {
  const budgets = registry.find('policy', 'v1', 'poddisruptionbudgets')!
  let action: 'spend' | 'spare' = 'spend'
  await store.update(
    budgets,
    { namespace, name },
    'status',
    (current) => {
      const object = reviveObject(current.bytes)
      const plan = planEviction(object as unknown as PodDisruptionBudget, pod, rfc3339(Date.now()))
      if (plan.action === 'later') throw newLater(plan.why, plan.retryAfterSeconds)
      if (plan.action === 'never') throw newForbidden(budgets.resource.definition, name, plan.why)
      action = plan.action
      if (plan.action === 'spend') object.status = plan.status
      return object
    },
    untracked(context),
  )
  return action
}

function newLater(why: string, retryAfterSeconds?: number): StatusError {
  return new StatusError({
    reason: 'TooManyRequests',
    code: 429,
    message: "Cannot evict pod as it would violate the pod's disruption budget.",
    details: {
      causes: [{ reason: 'DisruptionBudget', message: why }],
      ...(retryAfterSeconds && { retryAfterSeconds }),
    },
  })
}

function newTwoBudgets(): StatusError {
  const message = 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.'
  return new StatusError({ reason: 'InternalError', code: 500, message })
}
