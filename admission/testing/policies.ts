import type {
  MutatingAdmissionPolicySpec,
  NamedRuleWithOperations,
  ValidatingAdmissionPolicyBindingSpec,
  ValidatingAdmissionPolicySpec,
} from '#apis/admissionregistration/v1/zz_generated.types.ts'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { AdmissionRequest } from '#apis/plugin/v1/admission.ts'
import { MutatingPolicies } from '../policies/mutating.ts'
import { ValidatingPolicies } from '../policies/validating.ts'
import { FakeKinds } from './kinds.ts'
import { FakeReader, requestOf } from './request.ts'

const apiVersion = 'admissionregistration.k8s.io/v1'

/** For all that is done to a resource. */
export const on = (group: string, resource: string, apiVersions = ['*']): NamedRuleWithOperations => ({
  operations: ['*'],
  apiGroups: [group],
  apiVersions,
  resources: [resource],
})

export const onWidgets = on('example.com', 'widgets')

/** Policies of both kinds over a namespace and what tests add to `reader`. */
export class TestPolicies {
  readonly reader = new FakeReader().add('namespaces', { metadata: { name: 'default' } })
  readonly validating: ValidatingPolicies
  readonly mutating: MutatingPolicies
  #serial = 0

  constructor({ isSlow = false } = {}) {
    const authority = { authorize: () => ({ allowed: true, reason: '' }) }
    const around = { reader: this.reader, kinds: new FakeKinds({ isSlow }), authority }
    this.validating = new ValidatingPolicies(around)
    this.mutating = new MutatingPolicies(around)
  }

  /** @param name `p1`, `p2` ... when absent */
  validate(
    spec: ValidatingAdmissionPolicySpec,
    binding: Partial<ValidatingAdmissionPolicyBindingSpec> = {},
    name = this.#name(),
  ): this {
    const whole = { matchConstraints: { resourceRules: [onWidgets] }, ...spec }
    this.validating.set.setPolicy({ apiVersion, kind: 'ValidatingAdmissionPolicy', metadata: { name }, spec: whole })
    this.validating.set.setBinding({
      apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name },
      spec: { policyName: name, validationActions: ['Deny'], ...binding },
    })
    return this
  }

  mutate(spec: MutatingAdmissionPolicySpec, binding: object = {}, name = this.#name()): this {
    const whole = { matchConstraints: { resourceRules: [onWidgets] }, ...spec }
    this.mutating.set.setPolicy({ apiVersion, kind: 'MutatingAdmissionPolicy', metadata: { name }, spec: whole })
    this.mutating.set.setBinding({
      apiVersion,
      kind: 'MutatingAdmissionPolicyBinding',
      metadata: { name },
      spec: { policyName: name, ...binding },
    })
    return this
  }

  #name(): string {
    return `p${++this.#serial}`
  }
}

export const widget = (spec: object = {}, metadata: object = {}): UnstructuredObject => ({
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { name: 'one', namespace: 'default', ...metadata },
  spec,
})

/** A request about a widget, of version v1 unless the object is of another. */
export function aboutWidget(request: Partial<AdmissionRequest> = {}): AdmissionRequest {
  const object = 'object' in request ? request.object : widget()
  const version = (object ?? request.oldObject)?.apiVersion.split('/')[1] ?? 'v1'
  return requestOf({ group: 'example.com', version, resource: 'widgets', kind: 'Widget', ...request, object })
}
