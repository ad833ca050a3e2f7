import { decodedLength } from '../../core/v1/base64.ts'
import { each, faults, oneOf, present } from '../../meta/v1/field-checks.ts'
import { type FieldError, invalid, required } from '../../meta/v1/field-error.ts'
import { dns1035LabelFaults, dnsSubdomainFaults, pathSegmentFaults } from '../../meta/v1/names.ts'
import { ageColumn, column, nameColumn, printer } from '../../meta/v1/printing.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import { rfc3339 } from '../../meta/v1/time.ts'
import type { APIService, APIServiceCondition, APIServiceSpec } from './zz_generated.types.ts'

const maxGroupPriority = 20_000
const maxVersionPriority = 1_000

export const apiServiceRules: Rules<APIService> = {
  nameFaults: pathSegmentFaults,
  prepareCreate(service) {
    // What this server answers itself is available from the first moment on.
    service.status = service.spec.service ? {} : { conditions: [localCondition()] }
  },
  validate: (service) => [...nameErrors(service), ...specErrors(service.spec), ...statusErrors(service)],
  print: printer<APIService>(
    nameColumn,
    column('Service', ({ spec }) => (spec.service ? `${spec.service.namespace}/${spec.service.name}` : 'Local')),
    column('Available', availability),
    ageColumn,
  ),
}

export const apiRegistrationRules = new Map<string, unknown>([
  ['apiregistration.k8s.io/apiservices', apiServiceRules],
]) as ReadonlyMap<string, Rules>

/** The name of the object that stands for a group version: `v1.apps`, and `v1.` for the core group. */
export function apiServiceName({ group = '', version = '' }: { group?: string; version?: string }): string {
  return `${version}.${group}`
}

export const availableCondition = ({ status }: APIService): APIServiceCondition | undefined =>
  status?.conditions?.find(({ type }) => type === 'Available')

/** @param now when it became so */
export function localCondition(now = new Date()): APIServiceCondition {
  return {
    type: 'Available',
    status: 'True',
    lastTransitionTime: rfc3339(now.getTime()),
    reason: 'Local',
    message: 'Local APIServices are always available',
  }
}

function availability(service: APIService): string {
  const condition = availableCondition(service)
  if (!condition) return 'Unknown'
  return condition.status === 'True' ? 'True' : `${condition.status} (${condition.reason ?? ''})`
}

function nameErrors({ metadata, spec }: APIService): FieldError[] {
  const name = apiServiceName(spec)
  if (metadata.name === name) return []
  const demand = `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(name)}`
  return [invalid('metadata.name', metadata.name, demand)]
}

function specErrors(spec: APIServiceSpec): FieldError[] {
  const { group = '', version = '', groupPriorityMinimum: ofGroup, versionPriority: ofVersion } = spec
  return [
    ...(group === '' && version !== 'v1'
      ? [required('spec.group', 'only v1 may have an empty group and it better be legacy kube')]
      : []),
    ...(group === '' ? [] : faults('spec.group', group, dnsSubdomainFaults)),
    ...faults('spec.version', version, dns1035LabelFaults),
    ...priorityErrors('spec.groupPriorityMinimum', ofGroup, maxGroupPriority),
    ...priorityErrors('spec.versionPriority', ofVersion, maxVersionPriority),
    ...(spec.service ? remoteErrors(spec) : localErrors(spec)),
  ]
}

/** The bound itself is allowed, whatever the message says: that is how Kubernetes has it. */
function priorityErrors(field: string, value: number, most: number): FieldError[] {
  return value > 0 && value <= most ? [] : [invalid(field, value, `must be positive and less than ${most}`)]
}

function localErrors({ caBundle = '', insecureSkipTLSVerify }: APIServiceSpec): FieldError[] {
  return [
    ...(caBundle === ''
      ? []
      : [invalid('spec.caBundle', `${decodedLength(caBundle)} bytes`, 'local APIServices may not have a caBundle')]),
    ...(insecureSkipTLSVerify
      ? [invalid('spec.insecureSkipTLSVerify', true, 'local APIServices may not have insecureSkipTLSVerify')]
      : []),
  ]
}

function remoteErrors({ service, caBundle = '', insecureSkipTLSVerify }: APIServiceSpec): FieldError[] {
  return [
    ...present('spec.service.namespace', service?.namespace),
    ...present('spec.service.name', service?.name),
    ...(insecureSkipTLSVerify && caBundle !== ''
      ? [invalid('spec.insecureSkipTLSVerify', true, 'may not be true if caBundle is present')]
      : []),
  ]
}

function statusErrors({ status }: APIService): FieldError[] {
  return each('status.conditions', status?.conditions, (at, condition) =>
    oneOf(`${at}.status`, condition.status, ['True', 'False', 'Unknown']),
  )
}
