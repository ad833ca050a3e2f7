import type { DeleteOptions, Status, UnstructuredObject } from '#apis/meta/v1/types.ts'
import { newBadRequest, newInvalid } from '#core/errors/status-error.ts'
import type { ResourceDefinition } from '#core/registry/resource.ts'
import { readBody } from './body.ts'
import { parseDryRun, type ResourceRequest, requireNamespace, writeContext } from './endpoint.ts'
import { replyObject } from './reply.ts'

/** DELETE of one object: the object while something holds it, a Status once it is gone. */
export async function remove(request: ResourceRequest): Promise<void> {
  requireNamespace(request)
  const { info, served, store } = request
  const { options, dryRun } = await readDeleteOptions(request)
  const outcome = await store.delete(served, info, options, { ...writeContext(request), dryRun })
  if (!outcome.removed || served.resource.rules.gracePeriodSeconds) {
    await replyObject(request, 200, outcome.bytes)
    return
  }
  const status = deletedStatus(served.resource.definition, outcome.object)
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
export async function readDeleteOptions({
  exchange,
}: ResourceRequest): Promise<{ options: DeleteOptions; dryRun: boolean }> {
  const body = (await readBody(exchange)) ?? {}
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw newBadRequest('DeleteOptions must be a JSON object')
  }
  const options = { ...fromQuery(exchange.query), ...(body as DeleteOptions) }
  checkDeleteOptions(options)
  return { options, dryRun: parseDryRun([...exchange.query.getAll('dryRun'), ...(options.dryRun ?? [])]) }
}

function fromQuery(query: URLSearchParams): DeleteOptions {
  const grace = query.get('gracePeriodSeconds')
  const policy = query.get('propagationPolicy')
  const orphan = query.get('orphanDependents')
  return {
    ...(grace !== null && { gracePeriodSeconds: Number(grace) }),
    ...(policy !== null && { propagationPolicy: policy as DeleteOptions['propagationPolicy'] }),
    ...(orphan !== null && { orphanDependents: orphan === 'true' || orphan === '1' }),
  }
}

const policies = ['Background', 'Foreground', 'Orphan']

const isStringList = (value: unknown) => Array.isArray(value) && value.every((one) => typeof one === 'string')

/** Options as a client sent them, of any shape. @throws StatusError BadRequest, Invalid */
export function checkDeleteOptions(options: DeleteOptions): void {
  const kind = { group: 'meta.k8s.io', kind: 'DeleteOptions' }
  const { gracePeriodSeconds, propagationPolicy, orphanDependents, kind: sentKind, dryRun, preconditions } = options
  if (dryRun !== undefined && dryRun !== null && !isStringList(dryRun)) {
    throw newBadRequest('dryRun must be a list of strings')
  }
  if (preconditions !== undefined && typeof preconditions !== 'object') {
    throw newBadRequest('preconditions must be an object')
  }
  if (sentKind !== undefined && sentKind !== 'DeleteOptions') {
    throw newBadRequest(`the body of a DELETE must be DeleteOptions, not ${JSON.stringify(sentKind)}`)
  }
  if (gracePeriodSeconds !== undefined && gracePeriodSeconds !== null && !Number.isSafeInteger(gracePeriodSeconds)) {
    throw newBadRequest(
      `gracePeriodSeconds must be a whole number of seconds, not ${JSON.stringify(gracePeriodSeconds)}`,
    )
  }
  if (propagationPolicy !== undefined && propagationPolicy !== null && !policies.includes(propagationPolicy)) {
    throw newInvalid(kind, '', [
      {
        reason: 'FieldValueNotSupported',
        field: 'propagationPolicy',
        message: `Unsupported value: ${JSON.stringify(propagationPolicy)}: supported values: ${policies.map((one) => JSON.stringify(one)).join(', ')}`,
      },
    ])
  }
  if (propagationPolicy && orphanDependents !== undefined && orphanDependents !== null) {
    throw newInvalid(kind, '', [
      {
        reason: 'FieldValueInvalid',
        field: 'propagationPolicy',
        message: `Invalid value: ${JSON.stringify(propagationPolicy)}: orphanDependents and deletionPropagation cannot be both set`,
      },
    ])
  }
}
