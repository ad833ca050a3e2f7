import { age } from '../../meta/v1/duration.ts'
import { dnsLabelFaults } from '../../meta/v1/names.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import type { Namespace } from './zz_generated.types.ts'

const nameLabel = 'kubernetes.io/metadata.name'
const finalizer = 'kubernetes'

/** Namespaces: named like hosts, labelled with their name, and kept while their content is being removed. */
export const namespaceRules: Rules<Namespace> = {
  nameFaults: dnsLabelFaults,
  default(namespace) {
    const { metadata } = namespace
    if (metadata.name) metadata.labels = { ...metadata.labels, [nameLabel]: metadata.name }
  },
  prepareCreate(namespace) {
    const { metadata } = namespace
    if (metadata.name) metadata.labels = { ...metadata.labels, [nameLabel]: metadata.name }
    const others = namespace.spec?.finalizers?.filter((one) => one !== finalizer) ?? []
    namespace.spec = { ...namespace.spec, finalizers: [finalizer, ...others] }
    namespace.status = { phase: 'Active' }
  },
  prepareUpdate(namespace, old, subresource) {
    // Only the finalize subresource lets go of what holds a namespace.
    if (subresource !== 'finalize') {
      namespace.spec = { ...namespace.spec, finalizers: old.spec?.finalizers }
      return
    }
    const { finalizers } = namespace.spec ?? {}
    Object.assign(namespace, structuredClone(old), { spec: { ...old.spec, finalizers } })
  },
  prepareDelete(namespace) {
    namespace.status = { ...namespace.status, phase: 'Terminating' }
  },
  blocksRemoval: (namespace) => (namespace.spec?.finalizers?.length ?? 0) > 0,
  print: {
    columns: [
      { name: 'Name', type: 'string', format: 'name' },
      { name: 'Status', type: 'string' },
      { name: 'Age', type: 'string' },
    ],
    row: (namespace, now) => [
      namespace.metadata.name ?? '',
      namespace.status?.phase ?? '',
      age(namespace.metadata.creationTimestamp, now),
    ],
  },
}
