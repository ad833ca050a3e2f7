import type { Rules } from '../../meta/v1/rules.ts'
import { configMapRules } from './configmap-rules.ts'
import { endpointsRules } from './endpoints-rules.ts'
import { eventRules } from './event-rules.ts'
import { namespaceRules } from './namespace-rules.ts'
import { nodeRules } from './node-rules.ts'
import { podRules } from './pod-rules.ts'
import { limitRangeRules, resourceQuotaRules } from './quota-rules.ts'
import { podTemplateRules, replicationControllerRules } from './replicationcontroller-rules.ts'
import { secretRules } from './secret-rules.ts'
import { serviceRules } from './service-rules.ts'
import { serviceAccountRules } from './serviceaccount-rules.ts'
import { persistentVolumeClaimRules, persistentVolumeRules } from './volume-rules.ts'

/** The rules of the core group's kinds. */
export const coreRules = new Map<string, unknown>([
  ['core/configmaps', configMapRules],
  ['core/endpoints', endpointsRules],
  ['core/events', eventRules],
  ['core/limitranges', limitRangeRules],
  ['core/namespaces', namespaceRules],
  ['core/nodes', nodeRules],
  ['core/persistentvolumeclaims', persistentVolumeClaimRules],
  ['core/persistentvolumes', persistentVolumeRules],
  ['core/pods', podRules],
  ['core/podtemplates', podTemplateRules],
  ['core/replicationcontrollers', replicationControllerRules],
  ['core/resourcequotas', resourceQuotaRules],
  ['core/secrets', secretRules],
  ['core/serviceaccounts', serviceAccountRules],
  ['core/services', serviceRules],
]) as ReadonlyMap<string, Rules>
