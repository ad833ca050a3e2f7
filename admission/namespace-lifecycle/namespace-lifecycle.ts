import type { Namespace } from '#apis/core/v1/zz_generated.types.ts'
import type { ObjectReader } from '#apis/plugin/v1/admission.ts'
import { newForbidden, newNotFound } from '#core/errors/status-error.ts'
import type { AdmissionStep } from '../chain.ts'

/** Namespaces the cluster cannot be without. */
const immortal = new Set(['default', 'kube-system', 'kube-public'])
/** Reviews say something about a namespace and put nothing in it. */
const reviews = new Set(['localsubjectaccessreviews'])

/**
 * Nothing is created in a namespace that is not there or that is going; the system's namespaces stay.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#namespacelifecycle
 */
export function namespaceLifecycle(reader: ObjectReader): AdmissionStep {
  return {
    name: 'NamespaceLifecycle',
    admit({ operation, group, resource, subresource, namespace, name }) {
      if (group === '' && resource === 'namespaces') {
        if (operation === 'DELETE' && immortal.has(name)) {
          throw newForbidden({ group, resource }, name, 'this namespace may not be deleted')
        }
        return
      }
      if (operation !== 'CREATE' || namespace === '' || subresource !== '' || reviews.has(resource)) return
      const found = reader.get<Namespace>('', 'namespaces', '', namespace)
      if (!found) throw newNotFound({ group: '', resource: 'namespaces' }, namespace)
      if (found.metadata.deletionTimestamp) throw terminating({ group, resource }, name, namespace)
    },
  }
}

function terminating(of: { group: string; resource: string }, name: string, namespace: string) {
  const error = newForbidden(
    of,
    name,
    `unable to create new content in namespace ${namespace} because it is being terminated`,
  )
  error.status.details!.causes = [
    {
      reason: 'NamespaceTerminating',
      message: `namespace ${namespace} is being terminated`,
      field: 'metadata.namespace',
    },
  ]
  return error
}
