import { immutable } from '../../meta/v1/field-checks.ts'
import { forbidden } from '../../meta/v1/field-error.ts'
import { ageColumn, column, integer, nameColumn, printer } from '../../meta/v1/printing.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import type { PriorityClass } from './zz_generated.types.ts'

/** The classes of the system, and what they are worth: above what users may give. */
const systemClasses: ReadonlyMap<string, number> = new Map([
  ['system-cluster-critical', 2_000_000_000],
  ['system-node-critical', 2_000_001_000],
])
const highestOfUsers = 1_000_000_000

export const priorityClassRules: Rules<PriorityClass> = {
  prepareCreate({ metadata }) {
    metadata.generation = 1
  },
  changesGeneration: () => false,
  validate({ metadata, value = 0, globalDefault }) {
    const name = metadata.name ?? ''
    if (name.startsWith('system-')) {
      const isKnown = systemClasses.get(name) === value && !globalDefault
      const detail =
        "priority class names with 'system-' prefix are reserved for system use only. error: priority class"
      return isKnown ? [] : [forbidden('metadata.name', `${detail} ${name} is not a known system priority class`)]
    }
    if (value <= highestOfUsers) return []
    return [forbidden('value', `maximum allowed value of a user defined priority is ${highestOfUsers}`)]
  },
  validateUpdate: (priorityClass, old) => [
    ...(priorityClass.value === old.value ? [] : [forbidden('value', 'may not be changed in an update.')]),
    ...immutable('preemptionPolicy', priorityClass.preemptionPolicy, old.preemptionPolicy),
  ],
  print: printer<PriorityClass>(
    nameColumn,
    integer('Value', ({ value }) => value ?? 0),
    column('Global-Default', ({ globalDefault }) => globalDefault ?? false, { type: 'boolean' }),
    ageColumn,
    column('PreemptionPolicy', ({ preemptionPolicy }) => preemptionPolicy ?? ''),
  ),
}

export const schedulingRules = new Map<string, unknown>([
  ['scheduling.k8s.io/priorityclasses', priorityClassRules],
]) as ReadonlyMap<string, Rules>
