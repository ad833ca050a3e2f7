import { isDeepStrictEqual } from 'node:util'
import type {
  CustomResourceConversion,
  CustomResourceDefinition,
  WebhookClientConfig,
} from '#apis/apiextensions/v1/zz_generated.types.ts'
import { type FieldError, forbidden, invalid, required } from '#apis/meta/v1/field-error.ts'
import { dns1035LabelFaults, dnsSubdomainFaults } from '#apis/meta/v1/names.ts'
import type { Rules } from '#apis/meta/v1/rules.ts'
import { reviewVersionOf, reviewVersions } from '#core/conversion/conversion-review.ts'
import { planConversion } from '#core/conversion/declarative/conversion-plan.ts'
import { ConversionFault, conversionAnnotation } from '#core/conversion/declarative/conversion-text.ts'
import type { ConversionDefinition, JsonSchema } from '../resource.ts'

/**
 * What a definition may say of the conversion between its versions. Kubernetes names the fields as its own types have them:
 * `spec.conversion.webhookClientConfig` is `spec.conversion.webhook.clientConfig`.
 * @param old before an update: certificates may stay as unsound as they are, and may become so before the kind is served
 */
export function conversionErrors({ spec }: CustomResourceDefinition, old?: CustomResourceDefinition): FieldError[] {
  const { strategy, webhook } = spec.conversion ?? {}
  const path = 'spec.conversion'
  if (strategy === 'Webhook') {
    const bundle = webhook?.clientConfig?.caBundle
    const isFaulty = bundle && !isCertificates(bundle) && hasSoundCertificates(old)
    return [
      ...webhookErrors(webhook, old?.spec.conversion?.webhook, path),
      ...(isFaulty ? [invalid(`${path}.webhookClientConfig.caBundle`, bundle, noCertificates)] : []),
    ]
  }
  const errors: FieldError[] = []
  const unwanted = (field: string) =>
    forbidden(`${path}.${field}`, 'should not be set when strategy is not set to Webhook')
  if (webhook?.clientConfig) errors.push(unwanted('webhookClientConfig'))
  if (webhook?.conversionReviewVersions?.length) errors.push(unwanted('conversionReviewVersions'))
  return errors
}

const noCertificates = 'unable to load root certificates: unable to parse bytes as PEM block'

function hasSoundCertificates(old: CustomResourceDefinition | undefined): boolean {
  const isServed = old?.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True')
  const bundle = old?.spec.conversion?.webhook?.clientConfig?.caBundle
  return isServed === true && (!bundle || isCertificates(bundle))
}

type Webhook = CustomResourceConversion['webhook']

function webhookErrors(webhook: Webhook, old: Webhook, path: string): FieldError[] {
  const client = `${path}.webhookClientConfig`
  const { clientConfig, conversionReviewVersions: versions } = webhook ?? {}
  const errors = clientConfig
    ? clientErrors(clientConfig, client)
    : [required(client, 'required when strategy is set to Webhook')]
  // Where there is a webhook without versions, its schema tells.
  if (webhook && !versions) return errors
  return [...errors, ...reviewVersionErrors(versions ?? [], old?.conversionReviewVersions ?? [], path)]
}

/** Whether a webhook can be called by what is said of it. */
export function clientErrors({ url, service }: WebhookClientConfig, path: string): FieldError[] {
  const errors: FieldError[] = []
  if ((url === undefined) === (service === undefined)) {
    errors.push(required(path, 'exactly one of url or service is required'))
  } else if (url !== undefined) errors.push(...urlErrors(url, `${path}.url`))
  else if (service) {
    const { name, namespace, port = 443, path: servicePath } = service
    if (name === '') errors.push(required(`${path}.service.name`, 'service name is required'))
    if (namespace === '') errors.push(required(`${path}.service.namespace`, 'service namespace is required'))
    if (!(port >= 1 && port <= 65_535)) {
      errors.push(invalid(`${path}.service.port`, port, 'port is not valid: must be between 1 and 65535, inclusive'))
    }
    if (servicePath !== undefined) errors.push(...pathErrors(servicePath, `${path}.service.path`))
  }
  return errors
}

const form = '; desired format: https://host[/path]'

function urlErrors(text: string, path: string): FieldError[] {
  if (!URL.canParse(text))
    return [required(path, `url must be a valid URL: parse ${JSON.stringify(text)}: invalid URI${form}`)]
  const { protocol, host, username, hash, search } = new URL(text)
  const errors: FieldError[] = []
  if (protocol !== 'https:') {
    errors.push(invalid(path, protocol.slice(0, -1), `'https' is the only allowed URL scheme${form}`))
  }
  if (host === '') errors.push(invalid(path, host, `host must be provided${form}`))
  if (username !== '') errors.push(invalid(path, username, 'user information is not permitted in the URL'))
  if (hash !== '') errors.push(invalid(path, hash.slice(1), 'fragments are not permitted in the URL'))
  if (search !== '') errors.push(invalid(path, search.slice(1), 'query parameters are not permitted in the URL'))
  return errors
}

function pathErrors(text: string, path: string): FieldError[] {
  if (text === '' || text === '/') return []
  if (text === '//') return [invalid(path, text, 'segment[0] may not be empty')]
  const errors = text.startsWith('/') ? [] : [invalid(path, text, `must start with a '/'`)]
  const steps = text.slice(1).replace(/\/$/, '').split('/')
  return errors.concat(
    steps.flatMap((step, at) => {
      const faults = step === '' ? ['may not be empty'] : dnsSubdomainFaults(step).map((fault) => `: ${fault}`)
      return faults.map((fault) => invalid(path, text, `segment[${at}]${fault.startsWith(':') ? '' : ' '}${fault}`))
    }),
  )
}

/** Whether a bundle, base64, has certificates. */
export function isCertificates(caBundle: string): boolean {
  return Buffer.from(caBundle, 'base64').toString().includes('-----BEGIN CERTIFICATE-----')
}

/** @param old before an update: where nobody spoke any of them, nobody need */
function reviewVersionErrors(versions: readonly string[], old: readonly string[], parent: string): FieldError[] {
  const path = `${parent}.conversionReviewVersions`
  if (versions.length === 0) return [required(path)]
  const errors: FieldError[] = []
  const seen = new Set<string>()
  for (const [at, version] of versions.entries()) {
    if (seen.has(version)) errors.push(invalid(`${path}[${at}]`, version, 'duplicate version'))
    else for (const fault of dns1035LabelFaults(version)) errors.push(invalid(`${path}[${at}]`, version, fault))
    seen.add(version)
  }
  if (!reviewVersionOf(versions) && (old.length === 0 || reviewVersionOf(old))) {
    errors.push(invalid(path, versions, `must include at least one of ${reviewVersions.join(', ')}`))
  }
  return errors
}

/** What a valid definition says of conversion; undefined when its versions differ in their names only. */
export function conversionOf({ spec, metadata }: CustomResourceDefinition): ConversionDefinition | undefined {
  const { clientConfig, conversionReviewVersions } = spec.conversion?.webhook ?? {}
  if (spec.conversion?.strategy === 'Webhook' && clientConfig) {
    return { webhook: { clientConfig, reviewVersions: conversionReviewVersions ?? [] } }
  }
  const declarative = metadata.annotations?.[conversionAnnotation]
  return declarative === undefined ? undefined : { declarative }
}

/** The rules of definitions, with those of conversions that definitions write themselves. @param isOn whether such are served */
export function withDeclarativeConversion(
  rules: Rules<CustomResourceDefinition>,
  isOn: boolean,
): Rules<CustomResourceDefinition> {
  const annotationOf = ({ metadata }: CustomResourceDefinition) => metadata.annotations?.[conversionAnnotation]
  if (!isOn) {
    const warning = `metadata.annotations[${conversionAnnotation}]: is not looked at: start the server with --declarative-conversion=true`
    const warnings = (crd: CustomResourceDefinition) => (annotationOf(crd) === undefined ? [] : [warning])
    return { ...rules, warnings: (crd, old) => [...(rules.warnings?.(crd, old) ?? []), ...warnings(crd)] }
  }
  // What is said of fields can be judged where the schemas that have them are sound.
  const judged = (crd: CustomResourceDefinition, errors: FieldError[] | undefined) =>
    errors?.length ? errors : declarativeErrors(crd, annotationOf(crd))
  return {
    ...rules,
    validateCreate: (crd) => judged(crd, rules.validateCreate?.(crd)),
    validateUpdate: (crd, old, subresource) => {
      const errors = rules.validateUpdate?.(crd, old, subresource)
      return subresource === '' ? judged(crd, errors) : (errors ?? [])
    },
    // What is served depends on it.
    changesGeneration: (crd, old) => annotationOf(crd) !== annotationOf(old) || !isDeepStrictEqual(crd.spec, old.spec),
  }
}

function declarativeErrors({ spec }: CustomResourceDefinition, text: string | undefined): FieldError[] {
  if (text === undefined) return []
  const field = `metadata.annotations[${conversionAnnotation}]`
  if (spec.conversion?.strategy === 'Webhook')
    return [forbidden(field, 'must not be set when strategy is set to Webhook')]
  const schemas = spec.versions.map(
    ({ name, schema }) => [name, (schema?.openAPIV3Schema ?? {}) as JsonSchema] as const,
  )
  try {
    planConversion(text, new Map(schemas))
    return []
  } catch (error) {
    if (error instanceof ConversionFault)
      return [{ reason: 'FieldValueInvalid', field, message: `Invalid value: ${error.message}` }]
    throw error
  }
}
