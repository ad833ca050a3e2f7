import { bindPod } from '#apis/core/v1/binding.ts'
import type { Binding, Pod } from '#apis/core/v1/zz_generated.types.ts'
import { type FieldError, notSupported, required } from '#apis/meta/v1/field-error.ts'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { newBadRequest, newConflict, newInvalid } from '#core/errors/status-error.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import type { ObjectName } from '#core/registry/resource-store.ts'
import { readBody } from '../body.ts'
import { type ResourceRequest, requireNamespace, untracked, writeContext } from '../endpoint.ts'
import { replyOwn } from '../reply.ts'
import { type BodyKind, checkBody } from './typed-body.ts'

/** POST of `pods/NAME/binding`: says on which node a pod runs. */
export async function binding(request: ResourceRequest): Promise<void> {
  requireNamespace(request)
  const body = await readBinding(request)
  const { name, namespace } = request.info
  if ((body.metadata.name ?? name) !== name) {
    throw newBadRequest('name in URL does not match name in Binding object')
  }
  await bind(request, { namespace, name }, body)
}

/** POST of `bindings`, the older way to say the same: the pod is named in the body. */
export async function virtualBinding(request: ResourceRequest): Promise<void> {
  requireNamespace(request)
  const body = await readBinding(request)
  await bind(request, { namespace: request.info.namespace, name: body.metadata.name ?? '' }, body)
}

const bindingKind: BodyKind = { kind: 'Binding', apiVersions: ['v1'], definition: 'io.k8s.api.core.v1.Binding' }

async function readBinding(request: ResourceRequest): Promise<Binding> {
  const body = checkBody<Binding>(await readBody(request.exchange), request, bindingKind)
  const { target, metadata = {} } = body
  const errors: FieldError[] = []
  if (target?.kind && target.kind !== 'Node') errors.push(notSupported('target.kind', target.kind, ['Node', '<empty>']))
  if (!target?.name) errors.push(required('target.name'))
  if (errors.length > 0) throw newInvalid({ group: '', kind: 'Binding' }, metadata.name ?? '', errors)
  return { ...body, metadata }
}

const asBinding = (body: Binding) =>
  ({ ...structuredClone(body), apiVersion: 'v1', kind: 'Binding' }) as UnstructuredObject

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
    { ...untracked(writeContext(request)), shownAs: { operation: 'CREATE', show: () => asBinding(body) } },
  )
  const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }
  await replyOwn(request, 201, status)
}
