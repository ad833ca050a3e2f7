import type { Pod } from '#apis/core/v1/zz_generated.types.ts'
import type { ObjectReader } from '#apis/plugin/v1/admission.ts'
import type { PriorityClass } from '#apis/scheduling/v1/zz_generated.types.ts'
import { newForbidden } from '#core/errors/status-error.ts'
import type { AdmissionStep } from '../chain.ts'

/**
 * Turns a pod's priorityClassName into its priority; without one, into that of the global default, of which there is one.
 * @see https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
 */
export function priority(reader: ObjectReader): AdmissionStep {
  return {
    name: 'Priority',
    admit({ operation, group, resource, subresource, object }) {
      if (operation !== 'CREATE' || group !== '' || resource !== 'pods' || subresource !== '') return
      const { spec, metadata } = object as unknown as Pod
      if (!spec) return
      const found = spec.priorityClassName
        ? reader.get<PriorityClass>('scheduling.k8s.io', 'priorityclasses', '', spec.priorityClassName)
        : globalDefault(reader)
      if (spec.priorityClassName && !found) {
        throw newForbidden(
          { group, resource },
          metadata.name ?? '',
          `no PriorityClass with name ${spec.priorityClassName} was found`,
        )
      }
      const value = found?.value ?? 0
      if (spec.priority !== undefined && spec.priority !== value) {
        throw newForbidden(
          { group, resource },
          metadata.name ?? '',
          `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
        )
      }
      const policy = (found?.preemptionPolicy as typeof spec.preemptionPolicy) ?? 'PreemptLowerPriority'
      if (spec.preemptionPolicy && spec.preemptionPolicy !== policy) {
        throw newForbidden(
          { group, resource },
          metadata.name ?? '',
          `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
        )
      }
      if (found) spec.priorityClassName = found.metadata.name
      spec.priority = value
      spec.preemptionPolicy = policy
    },
    validate({ operation, group, resource, object }) {
      if (group !== 'scheduling.k8s.io' || resource !== 'priorityclasses' || operation === 'DELETE') return
      const { metadata, globalDefault: isDefault } = object as unknown as PriorityClass
      const standing = isDefault ? globalDefault(reader) : undefined
      if (!standing || standing.metadata.name === metadata.name) return
      throw newForbidden(
        { group, resource },
        metadata.name ?? '',
        `PriorityClass ${standing.metadata.name} is already marked as default. Only one default can exist`,
      )
    },
  }
}

/** The class that pods without one get; the lowest of several. */
function globalDefault(reader: ObjectReader): PriorityClass | undefined {
  const defaults = reader.list<PriorityClass>('scheduling.k8s.io', 'priorityclasses').filter((one) => one.globalDefault)
  return defaults.sort((a, b) => (a.value ?? 0) - (b.value ?? 0))[0]
}
