import { type FieldError, invalid, quoteValue } from '#apis/meta/v1/field-error.ts'
import type { DeleteOptions, Status, UnstructuredObject } from '#apis/meta/v1/types.ts'
import { newBadRequest, newInvalid } from '#core/errors/status-error.ts'
import type { ResourceDefinition } from '#core/registry/resource.ts'
import { isObject } from '#core/schema/json.ts'
import { isTrue } from '#core/server/request-info.ts'
import { readBody } from './body.ts'
import { dryRunErrors, type ResourceRequest, requireNamespace, writeContext } from './endpoint.ts'
import { replyObject } from './reply.ts'

/** DELETE of one object: the object while something holds it, a Status once it is gone. */
export async function remove(request: ResourceRequest): Promise<void> {
  requireNamespace(request)
  const { info, served, store } = request
  const { options, dryRun } = await readDeleteOptions(request)
  const context = { ...writeContext(request), dryRun, options: () => ({ ...options }) }
  const { rules, definition } = served.resource
  if (rules.orphansByDefault && !options.propagationPolicy && options.orphanDependents === undefined) {
    context.warn(
      `child pods are preserved by default when ${definition.resource} are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning`,
    )
  }
  const outcome = await store.delete(served, info, options, context)
  if (!outcome.removed || rules.gracePeriodSeconds || rules.returnsDeleted) {
    const isAccepted = !outcome.removed && options.orphanDependents === false
    await replyObject(request, isAccepted ? 202 : 200, outcome.bytes)
    return
  }
  const status = deletedStatus(definition, outcome.object)
  await replyObject(request, 200, Buffer.from(JSON.stringify(status)), { isStatus: true })
}

function deletedStatus({ group, resource }: ResourceDefinition, { metadata }: UnstructuredObject): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name: metadata.name ?? '', ...(group && { group }), kind: resource, uid: metadata.uid ?? '' },
    code: 200,
  }
}

/** DeleteOptions come in the body, in the query, or both; the body wins. */
export async function readDeleteOptions(
  request: ResourceRequest,
): Promise<{ options: DeleteOptions; dryRun: boolean }> {
  const { query } = request.exchange
  const body = (await readBody(request.exchange)) ?? {}
  if (!isObject(body)) throw newBadRequest('DeleteOptions must be a JSON object')
  const options = { ...fromQuery(query), ...(body as DeleteOptions) }
  return { options, dryRun: checkDeleteOptions(options, query.getAll('dryRun')) }
}

function fromQuery(query: URLSearchParams): DeleteOptions {
  const grace = query.get('gracePeriodSeconds')
  const policy = query.get('propagationPolicy')
  const orphan = query.get('orphanDependents')
  return {
    ...(grace && { gracePeriodSeconds: readSeconds(grace) }),
    ...(policy && { propagationPolicy: policy as DeleteOptions['propagationPolicy'] }),
    ...(orphan && { orphanDependents: isTrue(orphan) }),
  }
}

function readSeconds(text: string): number {
  if (/^[+-]?\d{1,15}$/.test(text)) return Number(text)
  throw newBadRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
}

const policies = ['Foreground', 'Background', 'Orphan', 'nil']

/**
 * Options as a client sent them, of any shape.
 * @param dryRun what the query says beside them
 * @returns true when nothing is to be changed
 * @throws StatusError BadRequest, Invalid
 */
export function checkDeleteOptions(options: DeleteOptions, dryRun: readonly string[]): boolean {
  checkTypes(options as Record<string, unknown>)
  const dryRuns = [...dryRun, ...(options.dryRun ?? [])]
  const errors = [...propagationErrors(options), ...dryRunErrors(dryRuns)]
  if (errors.length > 0) throw newInvalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', errors)
  return dryRuns.some(Boolean)
}

function propagationErrors({ propagationPolicy: policy, orphanDependents }: DeleteOptions): FieldError[] {
  if (policy === undefined || policy === null) return []
  const field = 'propagationPolicy'
  const errors: FieldError[] = []
  if (orphanDependents !== undefined && orphanDependents !== null) {
    errors.push(invalid(field, policy, 'orphanDependents and deletionPropagation cannot be both set'))
  }
  if (!policies.includes(policy) || policy === ('nil' as string)) {
    const supported = policies.map((one) => JSON.stringify(one)).join(', ')
    const message = `Unsupported value: ${quoteValue(policy)}: supported values: ${supported}`
    errors.push({ reason: 'FieldValueNotSupported', field, message })
  }
  return errors
}

const isStringList = (value: unknown) => Array.isArray(value) && value.every((one) => typeof one === 'string')
const isText = (value: unknown) => typeof value === 'string'

const types: Readonly<Record<string, { is(value: unknown): boolean; type: string }>> = {
  dryRun: { is: isStringList, type: 'a list of strings' },
  preconditions: { is: isObject, type: 'an object' },
  gracePeriodSeconds: { is: Number.isSafeInteger, type: 'a whole number of seconds' },
  propagationPolicy: { is: isText, type: 'a string' },
  orphanDependents: { is: (value) => typeof value === 'boolean', type: 'a boolean' },
}

/** @throws StatusError BadRequest */
function checkTypes(options: Record<string, unknown>): void {
  const { kind, preconditions } = options
  if (kind !== undefined && kind !== 'DeleteOptions') {
    throw newBadRequest(`the body of a DELETE must be DeleteOptions, not ${JSON.stringify(kind)}`)
  }
  for (const [field, { is, type }] of Object.entries(types)) {
    const value = options[field]
    if (value === undefined || value === null || is(value)) continue
    throw newBadRequest(`${field} must be ${type}, not ${JSON.stringify(value)}`)
  }
  for (const field of ['uid', 'resourceVersion']) {
    const value = (preconditions as Record<string, unknown> | undefined | null)?.[field]
    if (value === undefined || value === null || isText(value)) continue
    throw newBadRequest(`preconditions.${field} must be a string, not ${JSON.stringify(value)}`)
  }
}
