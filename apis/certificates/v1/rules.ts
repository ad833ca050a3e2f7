import { decodeText } from '../../core/v1/base64.ts'
import { humanDuration } from '../../meta/v1/duration.ts'
import { isSame } from '../../meta/v1/equality.ts'
import { each, faults, nonEmpty, present } from '../../meta/v1/field-checks.ts'
import { duplicate, type FieldError, forbidden, invalid } from '../../meta/v1/field-error.ts'
import { dnsSubdomainFaults, pathSegmentFaults } from '../../meta/v1/names.ts'
import { ageColumn, column, nameColumn, printer } from '../../meta/v1/printing.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import type { CertificateSigningRequest, CertificateSigningRequestCondition } from './zz_generated.types.ts'

const leastSeconds = 600
/** Only the approval subresource decides. */
const decisions = ['Approved', 'Denied'] as const

export const certificateSigningRequestRules: Rules<CertificateSigningRequest> = {
  nameFaults: pathSegmentFaults,
  prepareCreate(request) {
    request.status = {}
    delete request.metadata.generation
  },
  changesGeneration: () => false,
  prepareUpdate(request, old, subresource) {
    if (subresource === 'approval') {
      const { conditions } = request.status ?? {}
      request.spec = structuredClone(old.spec)
      request.status = { ...structuredClone(old.status), ...(conditions && { conditions }) }
    } else if (subresource === 'status') {
      const others = request.status?.conditions?.filter(({ type }) => !isDecision(type)) ?? []
      const decided = old.status?.conditions?.filter(({ type }) => isDecision(type)) ?? []
      request.status = { ...request.status, conditions: [...decided, ...others] }
    } else request.spec = structuredClone(old.spec)
  },
  validate({ spec, status }) {
    if (!spec) return []
    const { request, signerName, usages, expirationSeconds } = spec
    return [
      ...(request === undefined ? [] : requestErrors('spec.request', request)),
      ...present('spec.usages', usages),
      ...each('spec.usages', usages, (at, usage, index) =>
        usages!.indexOf(usage) < index ? [duplicate(at, usage)] : [],
      ),
      ...nonEmpty('spec.signerName', signerName),
      ...(signerName ? signerNameErrors('spec.signerName', signerName) : []),
      ...(expirationSeconds !== undefined && expirationSeconds < leastSeconds
        ? [
            invalid(
              'spec.expirationSeconds',
              expirationSeconds,
              `may not specify a duration less than ${leastSeconds} seconds (10 minutes)`,
            ),
          ]
        : []),
      ...conditionErrors('status.conditions', status?.conditions),
    ]
  },
  validateUpdate({ status }, { status: old }, subresource) {
    const errors: FieldError[] = []
    for (const type of [...decisions, 'Failed']) {
      const find = (conditions?: CertificateSigningRequestCondition[]) => conditions?.find((one) => one.type === type)
      if (find(old?.conditions) && !find(status?.conditions)) {
        errors.push(forbidden('status.conditions', `updates may not remove a condition of type "${type}"`))
      }
    }
    const hasChanged = !isSame(status?.certificate, old?.certificate)
    if (subresource !== 'status' && hasChanged) {
      errors.push(forbidden('status.certificate', 'updates may not set certificate content'))
    } else if (old?.certificate && hasChanged) {
      errors.push(forbidden('status.certificate', 'updates may not change existing certificate content'))
    }
    return errors
  },
  print: printer<CertificateSigningRequest>(
    nameColumn,
    ageColumn,
    column('SignerName', ({ spec }) => spec.signerName || '<none>'),
    column('Requestor', ({ spec }) => spec.username ?? ''),
    column('RequestedDuration', ({ spec }) =>
      spec.expirationSeconds === undefined ? '<none>' : humanDuration(spec.expirationSeconds * 1000),
    ),
    column('Condition', conditionText),
  ),
}

export const certificatesRules = new Map<string, unknown>([
  ['certificates.k8s.io/certificatesigningrequests', certificateSigningRequestRules],
]) as ReadonlyMap<string, Rules>

const isDecision = (type: string) => decisions.some((one) => one === type)

function requestErrors(field: string, request: string): FieldError[] {
  if (/-----BEGIN (NEW )?CERTIFICATE REQUEST-----/.test(decodeText(request))) return []
  return [invalid(field, request, 'PEM block type must be CERTIFICATE REQUEST')]
}

/** A domain, a slash, a path. */
function signerNameErrors(field: string, name: string): FieldError[] {
  const [domain = '', ...path] = name.split('/')
  if (path.length === 0 || path.join('/') === '') {
    return [invalid(field, name, 'must be a fully qualified domain and path of the form "example.com/signer-name"')]
  }
  return faults(field, domain, dnsSubdomainFaults)
}

function conditionErrors(field: string, conditions: CertificateSigningRequestCondition[] | undefined): FieldError[] {
  const types = new Set<string>()
  return each(field, conditions, (at, { type, status }) => {
    const errors = nonEmpty(`${at}.type`, type)
    if (types.has(type)) errors.push(duplicate(`${at}.type`, type))
    types.add(type)
    if ((isDecision(type) || type === 'Failed') && status !== 'True') {
      errors.push(invalid(`${at}.status`, status, `must be "True" for ${type} conditions`))
    }
    if (types.has('Approved') && types.has('Denied') && isDecision(type)) {
      errors.push(invalid(`${at}.type`, type, 'Approved and Denied conditions are mutually exclusive'))
    }
    return errors
  })
}

function conditionText({ status }: CertificateSigningRequest): string {
  const has = (wanted: string) => status?.conditions?.some(({ type }) => type === wanted)
  const words = [has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending']
  if (has('Failed')) words.push('Failed')
  if (status?.certificate) words.push('Issued')
  return words.join(',')
}
