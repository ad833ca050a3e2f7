import { each, inRange, labelSelectorErrors, named, nonEmpty } from '../../meta/v1/field-checks.ts'
import { duplicate, type FieldError, invalid, required } from '../../meta/v1/field-error.ts'
import { dnsSubdomainFaults } from '../../meta/v1/names.ts'
import { ageColumn, integer, nameColumn, printer } from '../../meta/v1/printing.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import { operationRuleErrors } from './operation-rules.ts'
import {
  mutatingAdmissionPolicyBindingRules,
  mutatingAdmissionPolicyRules,
  validatingAdmissionPolicyBindingRules,
  validatingAdmissionPolicyRules,
} from './policy-rules.ts'
import type {
  MutatingWebhook,
  MutatingWebhookConfiguration,
  ValidatingWebhook,
  ValidatingWebhookConfiguration,
  WebhookClientConfig,
} from './zz_generated.types.ts'

type WebhookConfiguration = ValidatingWebhookConfiguration | MutatingWebhookConfiguration

const webhookConfigurationRules: Rules<WebhookConfiguration> = {
  default({ webhooks }) {
    for (const { clientConfig } of webhooks ?? []) if (clientConfig?.service) clientConfig.service.port ??= 443
  },
  prepareCreate({ metadata }) {
    metadata.generation = 1
  },
  changesGeneration: ({ webhooks }, old) => JSON.stringify(webhooks) !== JSON.stringify(old.webhooks),
  validate({ webhooks }) {
    const names = new Set<string>()
    return each('webhooks', webhooks, (at, webhook: ValidatingWebhook | MutatingWebhook) => {
      const repeated = names.has(webhook.name) ? [duplicate(`${at}.name`, webhook.name)] : []
      names.add(webhook.name)
      return [...webhookErrors(at, webhook), ...repeated]
    })
  },
  print: printer<WebhookConfiguration>(
    nameColumn,
    integer('Webhooks', ({ webhooks }) => webhooks?.length ?? 0),
    ageColumn,
  ),
}

const understoodVersions = ['v1', 'v1beta1']

function webhookErrors(field: string, webhook: ValidatingWebhook | MutatingWebhook): FieldError[] {
  const { name, admissionReviewVersions: versions, sideEffects, timeoutSeconds, clientConfig } = webhook
  return [
    ...(name === undefined ? [] : qualifiedNameErrors(`${field}.name`, name)),
    ...labelSelectorErrors(`${field}.namespaceSelector`, webhook.namespaceSelector),
    ...labelSelectorErrors(`${field}.objectSelector`, webhook.objectSelector),
    ...(versions?.length === 0
      ? [required(`${field}.admissionReviewVersions`, `must specify one of ${understoodVersions.join(', ')}`)]
      : []),
    ...(versions?.length && !versions.some((version) => understoodVersions.includes(version))
      ? [
          invalid(
            `${field}.admissionReviewVersions`,
            versions,
            `must include at least one of ${understoodVersions.join(', ')}`,
          ),
        ]
      : []),
    ...(sideEffects === 'Unknown' || sideEffects === 'Some'
      ? [invalid(`${field}.sideEffects`, sideEffects, 'must be None or NoneOnDryRun')]
      : []),
    ...inSeconds(`${field}.timeoutSeconds`, timeoutSeconds),
    ...each(`${field}.rules`, webhook.rules, operationRuleErrors),
    ...(clientConfig ? clientConfigErrors(`${field}.clientConfig`, clientConfig) : []),
    ...each(`${field}.matchConditions`, webhook.matchConditions, (at, condition) => [
      ...nonEmpty(`${at}.name`, condition.name),
      ...nonEmpty(`${at}.expression`, condition.expression?.trim()),
    ]),
  ]
}

function qualifiedNameErrors(field: string, name: string): FieldError[] {
  const errors = named(field, name, dnsSubdomainFaults)
  if (errors.length > 0 || name.split('.').length >= 3) return errors
  return [invalid(field, name, 'should be a domain with at least three segments separated by dots')]
}

const inSeconds = (field: string, seconds: number | undefined) =>
  seconds === undefined || (seconds >= 1 && seconds <= 30)
    ? []
    : [invalid(field, seconds, 'the timeout value must be between 1 and 30 seconds')]

function clientConfigErrors(field: string, { url, service }: WebhookClientConfig): FieldError[] {
  if ((url === undefined) === (service === undefined)) {
    return [required(field, 'exactly one of url or service is required')]
  }
  if (url !== undefined) return urlErrors(`${field}.url`, url)
  const { name, namespace, path, port } = service!
  return [
    ...nonEmpty(`${field}.service.name`, name, 'service name is required'),
    ...nonEmpty(`${field}.service.namespace`, namespace, 'service namespace is required'),
    ...inRange(`${field}.service.port`, port, 1, 65535),
    ...(path && !path.startsWith('/') ? [invalid(`${field}.service.path`, path, "must start with a '/'")] : []),
  ]
}

function urlErrors(field: string, text: string): FieldError[] {
  const form = 'desired format: https://host[/path]'
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url) return [invalid(field, text, `url must be a valid URL; ${form}`)]
  const errors: FieldError[] = []
  if (url.protocol !== 'https:')
    errors.push(invalid(field, url.protocol.slice(0, -1), `'https' is the only allowed URL scheme; ${form}`))
  if (url.username || url.password) errors.push(invalid(field, text, 'user information is not permitted in the URL'))
  if (url.hash) errors.push(invalid(field, url.hash.slice(1), 'fragments are not permitted in the URL'))
  if (url.search) errors.push(invalid(field, url.search.slice(1), 'query parameters are not permitted in the URL'))
  return errors
}

export const admissionRegistrationRules = new Map<string, unknown>([
  ['admissionregistration.k8s.io/mutatingadmissionpolicies', mutatingAdmissionPolicyRules],
  ['admissionregistration.k8s.io/mutatingadmissionpolicybindings', mutatingAdmissionPolicyBindingRules],
  ['admissionregistration.k8s.io/mutatingwebhookconfigurations', webhookConfigurationRules],
  ['admissionregistration.k8s.io/validatingadmissionpolicies', validatingAdmissionPolicyRules],
  ['admissionregistration.k8s.io/validatingadmissionpolicybindings', validatingAdmissionPolicyBindingRules],
  ['admissionregistration.k8s.io/validatingwebhookconfigurations', webhookConfigurationRules],
]) as ReadonlyMap<string, Rules>
