import { each, faults, named, nonEmpty, optionalFaults, present } from '../../meta/v1/field-checks.ts'
import { type FieldError, invalid, notSupported, required } from '../../meta/v1/field-error.ts'
import {
  annotationKeyFaults,
  configMapKeyFaults,
  dnsSubdomainFaults,
  envVarNameFaults,
  labelKeyFaults,
} from '../../meta/v1/names.ts'
import { canonicalQuantity } from '../../meta/v1/quantity.ts'
import { amountOf } from './validate-resources.ts'
import type {
  EnvFromSource,
  EnvVar,
  EnvVarSource,
  FileKeySelector,
  ObjectFieldSelector,
  ResourceFieldSelector,
} from './zz_generated.types.ts'

/** Errors of the environment of a container, and of what the downward API may tell of its pod. */

export function envErrors(field: string, env: readonly EnvVar[] | undefined): FieldError[] {
  return each(field, env, (at, variable) => [
    ...named(`${at}.name`, variable.name, envVarNameFaults),
    ...valueFromErrors(`${at}.valueFrom`, variable),
  ])
}

function valueFromErrors(field: string, { value, valueFrom }: EnvVar): FieldError[] {
  if (!valueFrom) return []
  const errors = sourceErrors(field, valueFrom)
  const sources = Object.values(valueFrom).filter((source) => source !== undefined).length
  if (sources === 0) {
    const names = '`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'
    errors.push(invalid(field, '', `must specify one of: ${names}`))
  } else if (value) errors.push(invalid(field, '', 'may not be specified when `value` is not empty'))
  else if (sources > 1) errors.push(invalid(field, '', 'may not have more than one field specified at a time'))
  return errors
}

function sourceErrors(field: string, source: EnvVarSource): FieldError[] {
  return [
    ...(source.fieldRef ? fieldRefErrors(`${field}.fieldRef`, source.fieldRef, envFields) : []),
    ...(source.resourceFieldRef ? resourceFieldRefErrors(`${field}.resourceFieldRef`, source.resourceFieldRef) : []),
    ...keyRefErrors(`${field}.configMapKeyRef`, source.configMapKeyRef),
    ...keyRefErrors(`${field}.secretKeyRef`, source.secretKeyRef),
    ...(source.fileKeyRef ? fileKeyRefErrors(`${field}.fileKeyRef`, source.fileKeyRef) : []),
  ]
}

function keyRefErrors(field: string, ref: { name?: string; key: string } | undefined): FieldError[] {
  if (!ref) return []
  return [
    ...faults(`${field}.name`, ref.name ?? '', dnsSubdomainFaults),
    ...named(`${field}.key`, ref.key, configMapKeyFaults),
  ]
}

function fileKeyRefErrors(field: string, { key, path, volumeName }: FileKeySelector): FieldError[] {
  return [
    ...named(`${field}.key`, key, envVarNameFaults),
    ...nonEmpty(`${field}.volumeName`, volumeName),
    ...nonEmpty(`${field}.path`, path),
  ]
}

export function envFromErrors(field: string, sources: readonly EnvFromSource[] | undefined): FieldError[] {
  return each(field, sources, (at, { prefix, configMapRef, secretRef }) => {
    const errors = optionalFaults(`${at}.prefix`, prefix, envVarNameFaults)
    for (const [name, ref] of Object.entries({ configMapRef, secretRef })) {
      if (ref)
        errors.push(
          ...present(`${at}.${name}.name`, ref.name),
          ...optionalFaults(`${at}.${name}.name`, ref.name, dnsSubdomainFaults),
        )
    }
    if (!configMapRef && !secretRef)
      errors.push(invalid(field, '', 'must specify one of: `configMapRef` or `secretRef`'))
    if (configMapRef && secretRef)
      errors.push(invalid(field, '', 'may not have more than one field specified at a time'))
    return errors
  })
}

const envFields: ReadonlySet<string> = new Set([
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
])
export const volumeFields: ReadonlySet<string> = new Set([
  'metadata.name',
  'metadata.namespace',
  'metadata.labels',
  'metadata.annotations',
  'metadata.uid',
])
const knownFields = new Set([...envFields, ...volumeFields, 'spec.restartPolicy', 'spec.schedulerName', 'status.phase'])

/** @param supported the paths that may be asked for here */
export function fieldRefErrors(
  field: string,
  { apiVersion, fieldPath }: ObjectFieldSelector,
  supported: ReadonlySet<string>,
): FieldError[] {
  if (apiVersion === '') return [required(`${field}.apiVersion`)]
  if (!fieldPath) return nonEmpty(`${field}.fieldPath`, fieldPath)
  const [, path = fieldPath, subscript] = /^(.*)\['(.*)'\]$/.exec(fieldPath) ?? []
  if (subscript !== undefined) return subscriptErrors(field, path, subscript)
  if (!knownFields.has(path)) {
    const detail = `error converting fieldPath: field label not supported: ${fieldPath}`
    return [invalid(`${field}.fieldPath`, fieldPath, detail)]
  }
  return supported.has(path) ? [] : [notSupported(`${field}.fieldPath`, path, [...supported])]
}

function subscriptErrors(field: string, path: string, subscript: string): FieldError[] {
  if (path === 'metadata.annotations') return faults(field, subscript.toLowerCase(), annotationKeyFaults)
  if (path === 'metadata.labels') return faults(field, subscript, labelKeyFaults)
  return [invalid(field, path, 'does not support subscript')]
}

const containerResources = ['cpu', 'memory', 'ephemeral-storage'].flatMap((name) => [
  `limits.${name}`,
  `requests.${name}`,
])
const byteDivisors = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei']

/** @param inVolume true where the container has to be named, because it is not the one that asks */
export function resourceFieldRefErrors(
  field: string,
  { containerName, resource, divisor }: ResourceFieldSelector,
  inVolume = false,
): FieldError[] {
  const errors: FieldError[] = []
  if (inVolume && !containerName) errors.push(required(`${field}.containerName`))
  else if (resource === '') errors.push(required(`${field}.resource`))
  else if (resource && !containerResources.includes(resource) && !/^(limits|requests)\.hugepages-/.test(resource)) {
    errors.push(notSupported(`${field}.resource`, resource, containerResources))
  }
  return [...errors, ...divisorErrors(`${field}.divisor`, resource ?? '', divisor)]
}

const divisorWords: Readonly<Record<string, string>> = {
  cpu: 'cpu',
  memory: 'memory',
  'ephemeral-storage': 'local ephemeral storage',
  hugepages: 'hugepages',
}

function divisorErrors(field: string, resource: string, divisor: string | number | undefined): FieldError[] {
  const amount = amountOf(divisor)
  if (!amount || amount.nano === 0n) return []
  const name = resource.replace(/^(limits|requests)\./, '').replace(/^hugepages-.*/, 'hugepages')
  const word = Object.hasOwn(divisorWords, name) ? divisorWords[name] : undefined
  if (!word) return []
  const supported = name === 'cpu' ? ['1m', '1'] : byteDivisors
  if (supported.includes(canonicalQuantity(divisor!))) return []
  const list = name === 'cpu' ? '1m and 1' : byteDivisors.join(', ')
  return [invalid(field, resource, `only divisor's values ${list} are supported with the ${word} resource`)]
}
