import { nodeLabelWarnings } from '../../core/v1/node-label-warnings.ts'
import { resourceErrors } from '../../core/v1/validate-resources.ts'
import { tolerationErrors } from '../../core/v1/validate-scheduling.ts'
import { immutable, named } from '../../meta/v1/field-checks.ts'
import { dnsLabelFaults } from '../../meta/v1/names.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import { validateLabels } from '../../meta/v1/validate-object-meta.ts'
import type { RuntimeClass } from './zz_generated.types.ts'

export const runtimeClassRules: Rules<RuntimeClass> = {
  validate: ({ handler, overhead, scheduling }) => [
    ...named('handler', handler, dnsLabelFaults),
    ...resourceErrors('overhead.podFixed', overhead?.podFixed && { limits: overhead.podFixed }),
    ...validateLabels(scheduling?.nodeSelector ?? {}, 'scheduling.nodeSelector'),
    ...tolerationErrors('scheduling.tolerations', scheduling?.tolerations),
  ],
  warnings: ({ scheduling }) => nodeLabelWarnings('scheduling.nodeSelector', scheduling?.nodeSelector),
  validateUpdate: ({ handler }, old) => immutable('handler', handler, old.handler),
}

export const nodeGroupRules = new Map<string, unknown>([
  ['node.k8s.io/runtimeclasses', runtimeClassRules],
]) as ReadonlyMap<string, Rules>
