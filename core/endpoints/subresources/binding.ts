import { bindPod } from '#apis/core/v1/binding.ts'
import type { Binding, Pod } from '#apis/core/v1/zz_generated.types.ts'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { newBadRequest, newConflict, newInvalid } from '#core/errors/status-error.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import type { ObjectName } from '#core/registry/resource-store.ts'
import { readBody } from '../body.ts'
import { type ResourceRequest, requireNamespace, writeContext } from '../endpoint.ts'
import { replyOwn } from '../reply.ts'

/** POST of `pods/NAME/binding`: says on which node a pod runs. */
export async function binding(request: ResourceRequest): Promise<void> {
  requireNamespace(request)
  const body = await readBinding(request)
  await bind(request, { namespace: request.info.namespace, name: request.info.name }, body)
}

/** POST of `bindings`, the older way to say the same: the pod is named in the body. */
export async function virtualBinding(request: ResourceRequest): Promise<void> {
  requireNamespace(request)
  const body = await readBinding(request)
  await bind(request, { namespace: request.info.namespace, name: body.metadata.name ?? '' }, body)
}

async function readBinding({ exchange }: ResourceRequest): Promise<Binding> {
  const body = await readBody(exchange)
  if (typeof body !== 'object' || body === null) throw newBadRequest('the body must be a Binding')
  const { target, metadata } = body as Binding
  if (typeof target?.name !== 'string' || target.name === '') {
    throw newInvalid({ group: '', kind: 'Binding' }, metadata?.name ?? '', [
      { reason: 'FieldValueRequired', field: 'target.name', message: 'Required value' },
    ])
  }
  return { ...(body as Binding), metadata: metadata ?? {} }
}

async function bind(request: ResourceRequest, at: ObjectName, body: Binding): Promise<void> {
  const { registry, store } = request
  const pods = registry.find('', 'v1', 'pods')!
  await store.update(
    pods,
    at,
    'binding',
    (current) => {
      const pod = reviveObject(current.bytes) as unknown as Pod
      const refusal = bindPod(pod, body, new Date())
      if (refusal) throw newConflict({ group: '', resource: 'pods/binding' }, at.name, refusal)
      return pod as unknown as UnstructuredObject
    },
    writeContext(request),
  )
  const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }
  await replyOwn(request, 201, status)
}
